import type { Queryable } from '../../database/queryable.js';
import { PayloadGone, PayloadStore } from './payload-store.js';

/** In PostgreSQL, one row each; TOAST cuts it into pieces and compresses them. */
export class PostgresPayloadStore extends PayloadStore {
  readonly name = 'postgres';

  constructor(private readonly db: Queryable) {
    super();
  }

  async put(key: string, text: string): Promise<void> {
    await this.db.query('INSERT INTO payload_text (key, body) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      key,
      text,
    ]);
  }

  async get(key: string): Promise<string> {
    const [row] = await this.db.query<{ body: string }>('SELECT body FROM payload_text WHERE key = $1', [
      key,
    ]);
    if (row === undefined) throw new PayloadGone(key);
    return row.body;
  }

  async remove(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.db.query('DELETE FROM payload_text WHERE key = ANY ($1)', [keys]);
  }
}
