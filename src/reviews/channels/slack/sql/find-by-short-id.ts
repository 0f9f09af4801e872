import type { Queryable } from '../../../../database/queryable.js';

const LOWEST = '00000000-0000-0000-0000-000000000000';
const HIGHEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The ids that begin so, two at most: more than one is too many. @param begin of an id as it is written, with its dashes. */
export async function idsThatBegin(db: Queryable, begin: string): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    'SELECT id FROM review WHERE id BETWEEN $1::uuid AND $2::uuid ORDER BY id LIMIT 2',
    [begin + LOWEST.slice(begin.length), begin + HIGHEST.slice(begin.length)],
  );
  return rows.map(({ id }) => id);
}
