import { LRUCache } from 'lru-cache';
import type { Queryable } from '../../database/queryable.js';

// One look for each is enough where the same key stands in a thousand files.
const MAX_REMEMBERED = 10_000;

/** Which secrets and threats had been found before a moment, wherever that was. */
export class KnownBefore {
  private readonly seen = new LRUCache<string, { readonly known: boolean }>({ max: MAX_REMEMBERED });

  constructor(
    private readonly db: Queryable,
    private readonly moment: number,
  ) {}

  async has(fingerprint: string): Promise<boolean> {
    const before = this.seen.get(fingerprint);
    if (before !== undefined) return before.known;
    const rows = await this.db.query(
      `SELECT 1 FROM finding f JOIN scan s ON s.id = f.scan_id
        WHERE f.fingerprint = $1 AND s.verdict_at < $2 LIMIT 1`,
      [fingerprint, this.moment],
    );
    const known = rows.length > 0;
    this.seen.set(fingerprint, { known });
    return known;
  }
}
