import type { Queryable } from './queryable.js';

/** Whether PostgreSQL has room for what this process, and processes like it, may open. */
export interface ConnectionRoom {
  /** What this process may open: its pools and the connection that listens. */
  readonly wanted: number;
  /** What PostgreSQL lets its ordinary users have, all processes together. */
  readonly allowed: number;
  /** Processes that have announced themselves, this one among them. */
  readonly nodes: number;
  /** What is wrong and what mends it. */
  readonly problem?: string;
}

/** What the server says of its limits; -1 means no limit. */
export interface ServerLimits {
  readonly maxConnections: number;
  readonly reserved: number;
  readonly roleLimit: number;
  readonly databaseLimit: number;
}

/** Compares what processes of `poolSize` connections may open with what the server allows. */
export function roomFor(poolSize: number, otherNodes: number, limits: ServerLimits): ConnectionRoom {
  const wanted = poolSize + 1;
  const nodes = otherNodes + 1;
  const bounds = [limits.maxConnections - limits.reserved, limits.roleLimit, limits.databaseLimit];
  const allowed = Math.min(...bounds.filter((bound) => bound >= 0));
  if (wanted * nodes <= allowed) return { wanted, allowed, nodes };
  const all = nodes === 1 ? 'This process' : `${nodes} processes like this one`;
  return {
    wanted,
    allowed,
    nodes,
    problem:
      `${all} may open ${wanted * nodes} connections, and PostgreSQL allows ${allowed}. Lower DATABASE_POOL_SIZE` +
      ` to ${Math.max(1, Math.floor(allowed / nodes) - 1)}, raise max_connections (or the limit of the role or database), or put PgBouncer in front.`,
  };
}

/**
 * Asks the server. Through a pooler the answer is about the connections behind it, which the pooler bounds: the figures
 * are the server's own all the same, and a warning too many is better than one too few.
 *
 * @param homeId of this process; another row of the same home is of one that ran before it.
 */
export async function connectionRoom(
  db: Queryable,
  poolSize: number,
  homeId: string,
): Promise<ConnectionRoom> {
  const [row] = await db.query<{
    max_connections: number;
    reserved: number;
    role_limit: number;
    database_limit: number;
    other_nodes: number;
  }>(
    `SELECT current_setting('max_connections')::int AS max_connections,
            current_setting('superuser_reserved_connections')::int
              + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
            (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role_limit,
            (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database_limit,
            (SELECT count(*)::int FROM node WHERE home_id <> $1) AS other_nodes`,
    [homeId],
  );
  if (row === undefined) throw new Error('PostgreSQL did not say how many connections it allows');
  return roomFor(poolSize, row.other_nodes, {
    maxConnections: row.max_connections,
    reserved: row.reserved,
    roleLimit: row.role_limit,
    databaseLimit: row.database_limit,
  });
}
