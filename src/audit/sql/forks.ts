import type { Queryable } from '../../database/queryable.js';

/** A place where the record goes on after a restore: what the former life recorded behind it is not here. */
export interface Fork {
  /** The last event that both lives have; 0 for none. */
  readonly after: number;
  /** The place of the event that tells of it; null until that is chained. */
  readonly toldAt: number | null;
  /** ISO 8601; when the backup was taken, and when it was restored. */
  readonly backupAt: string;
  readonly restoredAt: string;
}

/** All of them, the earliest first. */
export async function forksOf(db: Queryable): Promise<Fork[]> {
  const rows = await db.query<{
    after: string;
    told_at: string | null;
    backup_at: string;
    restored_at: string;
  }>(
    `SELECT r.fork_seq AS after, r.backup_at, r.restored_at, min(l.seq) AS told_at
       FROM restoration r
       LEFT JOIN audit_event e ON e.subject = 'backup:' || r.backup_id AND e.action = 'backup.restored' AND e.at = r.restored_at
       LEFT JOIN audit_link l ON l.event_id = e.id
      GROUP BY r.id ORDER BY r.restored_at`,
  );
  return rows.map(({ after, told_at, backup_at, restored_at }) => ({
    after: Number(after),
    toldAt: told_at === null ? null : Number(told_at),
    backupAt: new Date(Number(backup_at)).toISOString(),
    restoredAt: new Date(Number(restored_at)).toISOString(),
  }));
}

/** Why a place is another than somebody remembers, where a restore explains it. */
export function forkBefore(forks: readonly Fork[], seq: number): string {
  const fork = forks.find(({ after }) => after < seq);
  if (fork === undefined) return '';
  return `; the database was restored on ${fork.restoredAt} from a backup of ${fork.backupAt}, and goes on after event ${fork.after}: what was recorded behind that in its former life is not here`;
}
