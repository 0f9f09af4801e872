import type { Queryable } from '../../../database/queryable.js';
import type { NodeRecord } from '../../execution-store.js';

interface Incarnation {
  readonly incarnation: string;
}

const incarnations = (rows: readonly Incarnation[]): string[] => rows.map((row) => row.incarnation);

/** Stores a node, also again when the first answer was lost, and removes the others of its home. @returns those. */
export async function insertNode(tx: Queryable, node: NodeRecord): Promise<readonly string[]> {
  const replaced = await tx.query<Incarnation>(
    'DELETE FROM node WHERE home_id = $1 AND incarnation <> $2 RETURNING incarnation',
    [node.homeId, node.incarnation],
  );
  await tx.query(
    `INSERT INTO node (incarnation, home_id, host, pid, roles, started_at, heartbeat_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (incarnation) DO UPDATE SET heartbeat_at = excluded.heartbeat_at`,
    [node.incarnation, node.homeId, node.host, node.pid, node.roles, node.startedAt, node.heartbeatAt],
  );
  return incarnations(replaced);
}

/** @returns false when the node's row is gone. */
export async function beat(db: Queryable, incarnation: string, now: number): Promise<boolean> {
  const rows = await db.query(
    'UPDATE node SET heartbeat_at = $2 WHERE incarnation = $1 RETURNING incarnation',
    [incarnation, now],
  );
  return rows.length > 0;
}

export const deleteNode = (db: Queryable, incarnation: string): Promise<unknown> =>
  db.query('DELETE FROM node WHERE incarnation = $1', [incarnation]);

/** @returns the nodes whose heartbeat is still the one that was seen, now removed. */
export const deleteSilentNodes = async (
  db: Queryable,
  silent: readonly Pick<NodeRecord, 'incarnation' | 'heartbeatAt'>[],
): Promise<readonly string[]> =>
  incarnations(
    await db.query<Incarnation>(
      `DELETE FROM node USING unnest($1::text[], $2::bigint[]) AS silent (incarnation, heartbeat_at)
       WHERE node.incarnation = silent.incarnation AND node.heartbeat_at = silent.heartbeat_at
       RETURNING node.incarnation`,
      [silent.map(({ incarnation }) => incarnation), silent.map(({ heartbeatAt }) => heartbeatAt)],
    ),
  );

/** Holders without a node row: they died, and whoever noticed died too before releasing. */
export const orphanedOwners = async (db: Queryable): Promise<readonly string[]> =>
  incarnations(await db.query<Incarnation>(ORPHANED_OWNERS));

// Goes from one holder to the next in the index: thousands of leases of one node cost one step.
const holders = (name: string, table: string, column: string) => `
  ${name} (incarnation) AS (
    SELECT min(${column}) FROM ${table} WHERE ${column} IS NOT NULL
    UNION ALL
    SELECT (SELECT min(${column}) FROM ${table} WHERE ${column} > previous.incarnation)
    FROM ${name} AS previous WHERE previous.incarnation IS NOT NULL
  )`;

const ORPHANED_OWNERS = `
  WITH RECURSIVE ${[
    holders('of_task', 'task', 'lease_owner'),
    holders('of_timer', 'workflow_timer', 'claimed_by'),
    holders('of_inbox', 'workflow_inbox', 'claimed_by'),
  ].join(',')}
  SELECT incarnation FROM (
    SELECT * FROM of_task UNION SELECT * FROM of_timer UNION SELECT * FROM of_inbox
  ) AS holder
  WHERE incarnation IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM node WHERE node.incarnation = holder.incarnation)`;

export const listNodes = (db: Queryable): Promise<readonly NodeRecord[]> =>
  db.query<NodeRecord>(
    `SELECT incarnation, home_id AS "homeId", host, pid, roles, started_at AS "startedAt",
       heartbeat_at AS "heartbeatAt" FROM node ORDER BY started_at`,
  );
