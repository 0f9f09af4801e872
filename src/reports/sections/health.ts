import type { Health } from '../data/record.js';
import type { Spread } from '../data/parts.js';
import { iso, isoOrNull, NO_SPREAD, spread, type Asked } from './section.js';

/** How the service itself did in the period, and how the audit record stands. */
export async function readHealth(asked: Asked): Promise<Health> {
  return {
    notifications: await notifications(asked),
    queueLag: await queueLag(asked),
    ...(await counts(asked)),
    chain: await chain(asked),
  };
}

/** Messages of the outbox by where they go; what is work of the service itself is none. */
const notifications = ({ tx, from, to }: Asked): Promise<Health['notifications']> =>
  tx.query<Health['notifications'][number]>(
    `SELECT channel, count(*) FILTER (WHERE state = 'sent')::int AS sent,
            count(*) FILTER (WHERE state = 'failed')::int AS failed,
            count(*) FILTER (WHERE state NOT IN ('sent', 'failed'))::int AS waiting
       FROM (SELECT state, CASE WHEN kind LIKE 'slack.%' THEN 'slack' WHEN kind LIKE 'webhook%' THEN 'webhook'
                                WHEN kind IN ('mail', 'review.mail', 'review.news', 'review.digest', 'uploader.question') THEN 'mail' END AS channel
               FROM outbox WHERE created_at >= $1 AND created_at < $2) o
      WHERE channel IS NOT NULL GROUP BY channel ORDER BY channel`,
    [from, to],
  );

async function queueLag({ tx, from, to }: Asked): Promise<Spread> {
  const [row] = await tx.query<{ took: Spread }>(
    `SELECT ${spread('s.started_at - s.requested_at', 'took')}
       FROM verdict v JOIN scan s ON s.id = v.scan_id
      WHERE v.at >= $1 AND v.at < $2 AND s.verdict_at = v.at AND s.started_at IS NOT NULL`,
    [from, to],
  );
  return row?.took ?? NO_SPREAD;
}

async function counts({
  tx,
  from,
  to,
}: Asked): Promise<Omit<Health, 'notifications' | 'queueLag' | 'chain'>> {
  const [row] = await tx.query<{
    bounced: number;
    dead: number;
    dead_open: number;
    rejected: number;
    backup: string | null;
    restore: string | null;
  }>(
    `SELECT count(*) FILTER (WHERE at >= $1 AND action = 'review.mail_bounced')::int AS bounced,
            count(*) FILTER (WHERE at >= $1 AND action = 'scan.dead_lettered')::int AS dead,
            (SELECT count(*)::int FROM dead_letter WHERE died_at < $2) AS dead_open,
            (SELECT count(*)::int FROM intake_reject WHERE last_at >= $1 AND last_at < $2) AS rejected,
            (SELECT max(at) FROM audit_event WHERE action = 'backup.made' AND at < $2) AS backup,
            (SELECT max(at) FROM audit_event WHERE action = 'backup.restored' AND at < $2) AS restore
       FROM audit_event WHERE at >= $1 AND at < $2 AND action IN ('review.mail_bounced', 'scan.dead_lettered')`,
    [from, to],
  );
  return {
    bounced: row?.bounced ?? 0,
    deadLetters: { new: row?.dead ?? 0, open: row?.dead_open ?? 0 },
    rejectedEvents: row?.rejected ?? 0,
    lastBackupAt: isoOrNull(row?.backup ?? null),
    lastRestoreAt: isoOrNull(row?.restore ?? null),
  };
}

/** The events of the period by their places in the chain, and the last time that somebody followed it. */
async function chain({ tx, from, to }: Asked): Promise<Health['chain']> {
  const [row] = await tx.query<{
    id: string;
    first: string | null;
    last: string | null;
    head: string | null;
    verified_at: string | null;
    is_whole: boolean | null;
    signed: string | null;
    anchored: string | null;
  }>(
    `WITH places AS (
       SELECT min(l.seq) AS first, max(l.seq) AS last
         FROM audit_event e JOIN audit_link l ON l.event_id = e.id WHERE e.at >= $1 AND e.at < $2
     ), verified AS (
       SELECT at, (data ->> 'isWhole')::boolean AS is_whole FROM audit_event
        WHERE action = 'audit.verified' AND at >= $1 ORDER BY id DESC LIMIT 1
     )
     SELECT (SELECT chain_id FROM audit_chain) AS id, places.first, places.last,
            (SELECT encode(hash, 'hex') FROM audit_link WHERE seq = places.last) AS head,
            (SELECT at FROM verified) AS verified_at, (SELECT is_whole FROM verified) AS is_whole,
            (SELECT max(seq) FROM audit_checkpoint) AS signed, (SELECT max(seq) FROM audit_anchor) AS anchored
       FROM places`,
    [from, to],
  );
  const doubts = await tx.query<{ at: string; by: string; bad: unknown }>(
    `SELECT at, actor AS by, data -> 'bad' AS bad FROM audit_event
      WHERE action = 'audit.verified' AND at >= $1 AND (data ->> 'isWhole')::boolean IS FALSE ORDER BY id LIMIT 100`,
    [from],
  );
  const number = (value: string | null | undefined): number | null =>
    value === null || value === undefined ? null : Number(value);
  return {
    id: row?.id ?? '',
    isWhole: row?.is_whole ?? null,
    verifiedAt: isoOrNull(row?.verified_at ?? null),
    doubts: doubts.map(({ at, by, bad }) => ({ at: iso(at), by, what: JSON.stringify(bad ?? null) })),
    from: number(row?.first),
    to: number(row?.last),
    head: row?.head ?? null,
    signedUpTo: number(row?.signed) ?? 0,
    anchoredUpTo: number(row?.anchored) ?? 0,
  };
}
