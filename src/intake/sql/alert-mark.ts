import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/**
 * Takes the mark of something that is told once for all nodes, until the end of the transaction.
 *
 * @returns until when it was told; undefined while another node has it.
 */
export async function takeMark(tx: Queryable, name: string): Promise<Instant | undefined> {
  await tx.query('INSERT INTO alert_mark (name, told_at) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING', [
    name,
  ]);
  const [row] = await tx.query<{ told_at: number }>(
    'SELECT told_at::float8 FROM alert_mark WHERE name = $1 FOR UPDATE SKIP LOCKED',
    [name],
  );
  return row?.told_at;
}

export const moveMark = (tx: Queryable, name: string, toldAt: Instant): Promise<unknown> =>
  tx.query('UPDATE alert_mark SET told_at = $2 WHERE name = $1', [name, toldAt]);
