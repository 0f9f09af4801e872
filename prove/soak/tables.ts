import type { Client } from 'pg';

/** What PostgreSQL says of one table. */
export interface TableFacts {
  readonly table: string;
  readonly liveRows: number;
  readonly deadRows: number;
  /** With its indexes and what is stored out of line. */
  readonly bytes: number;
  readonly vacuums: number;
}

/** The tables that every execution touches. */
export const HOT = ['workflow', 'workflow_payload', 'task', 'workflow_timer', 'workflow_inbox'] as const;

export async function tableFacts(client: Client): Promise<readonly TableFacts[]> {
  const { rows } = await client.query<TableFacts>(
    `SELECT relname AS "table", n_live_tup::float8 AS "liveRows", n_dead_tup::float8 AS "deadRows",
       pg_total_relation_size(relid)::float8 AS bytes, autovacuum_count::float8 AS vacuums
     FROM pg_stat_user_tables WHERE relname = ANY ($1) ORDER BY relname`,
    [HOT],
  );
  return rows;
}
