import { readdirSync, readFileSync } from 'node:fs';
import type { Cluster } from './cluster.js';

// What the kernel counts CPU time in on every Linux that Node runs on.
const TICKS_PER_SECOND = 100;

/** What PostgreSQL spent while something ran. */
export interface Spent {
  readonly postgresCpuSeconds: number;
  readonly walBytes: number;
  readonly commits: number;
  /** By which the database grew, indexes included. */
  readonly diskBytes: number;
}

/** Runs `work` and says what PostgreSQL spent meanwhile; `database` is the one whose commits count. */
export async function metered<T>(
  cluster: Cluster,
  database: string,
  work: () => Promise<T>,
): Promise<{ result: T; spent: Spent }> {
  const before = await look(cluster, database);
  const result = await work();
  const after = await look(cluster, database);
  return {
    result,
    spent: {
      postgresCpuSeconds: after.cpu - before.cpu,
      walBytes: after.wal - before.wal,
      commits: after.commits - before.commits,
      diskBytes: after.disk - before.disk,
    },
  };
}

async function look(cluster: Cluster, database: string) {
  const [row] = await cluster.query<{ wal: string; commits: string; disk: string }>(
    'postgres',
    `SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS wal,
            (SELECT xact_commit FROM pg_stat_database WHERE datname = '${database}') AS commits,
            pg_database_size('${database}') AS disk`,
  );
  return {
    wal: Number(row?.wal),
    commits: Number(row?.commits),
    disk: Number(row?.disk),
    cpu: cpuSecondsOf(cluster.server.pid),
  };
}

/** CPU seconds of a process, of those below it, and of those below it that ended. */
function cpuSecondsOf(top: number): number {
  let ticks = 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statOf(entry);
    if (fields === undefined) continue;
    const [parent, own, ended] = [fields[1], [fields[11], fields[12]], [fields[13], fields[14]]];
    const isTop = entry === String(top);
    if (!isTop && Number(parent) !== top) continue;
    for (const part of isTop ? [...own, ...ended] : own) ticks += Number(part);
  }
  return ticks / TICKS_PER_SECOND;
}

/** The fields after the process's name, which may hold anything. */
function statOf(pid: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
  } catch {
    // It ended between the listing and the look.
    return undefined;
  }
}
