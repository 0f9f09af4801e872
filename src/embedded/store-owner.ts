import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Queryable } from '../database/queryable.js';
import { ConfigError } from '../errors.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Makes sure that a database knows the objects of one embedded endpoint only: another home's objects would be looked
 * for here, not be found, and be called gone although nobody scanned them.
 *
 * @param isItsOwn whether the database lies in this home: it is this home's then, whatever others made of it.
 * @throws ConfigError when the database belongs to another home's endpoint.
 */
export async function ownEmbeddedStore(db: Queryable, home: string, isItsOwn: boolean): Promise<void> {
  const id = storeId(join(home, 's3'));
  const otherwise = isItsOwn ? 'UPDATE SET store_id = excluded.store_id, home = excluded.home' : 'NOTHING';
  await db.query(
    `INSERT INTO embedded_store (store_id, home) VALUES ($1, $2) ON CONFLICT (is_only) DO ${otherwise}`,
    [id, home],
  );
  const [owner] = await db.query<{ store_id: string; home: string }>(
    'SELECT store_id, home FROM embedded_store',
  );
  if (owner === undefined || owner.store_id === id) return;
  throw new ConfigError(
    `EMBEDDED_S3: this database belongs to the embedded S3 endpoint of another home (${owner.home}), and this one (${home}) has objects of its own. ` +
      'Give each a DATABASE_URL of its own, or let all use one S3: set EMBEDDED_S3=off, S3_ENDPOINT and S3_BUCKETS. ' +
      'If that home is gone for good, run DELETE FROM embedded_store in the database.',
  );
}

/** Who a folder of objects is, wherever it is mounted; made when it has no name yet. */
function storeId(directory: string): string {
  const path = join(directory, 'store-id');
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (UUID.test(text)) return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const id = randomUUID();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(path, `${id}\n`, { mode: 0o600, flush: true });
  return id;
}
