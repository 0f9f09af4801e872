import type { People } from '../data/people.js';
import type { Spread } from '../data/parts.js';
import { iso, NO_SPREAD, spread, type Asked } from './section.js';

const DAY_MS = 86_400_000;
const AGES: readonly (readonly [fromDays: number, toDays: number | null])[] = [
  [0, 1],
  [1, 3],
  [3, 7],
  [7, 14],
  [14, 30],
  [30, null],
];

// When it ended, whoever or whatever ended it.
const ENDED_AT = 'coalesce(decided_at, cancelled_at)';
const WAS_OPEN = (at: string): string =>
  `created_at < ${at} AND (${ENDED_AT} IS NULL OR ${ENDED_AT} >= ${at})`;

/** What people had to decide in the period, and how long it took them. */
export async function readPeople(asked: Asked): Promise<People> {
  return {
    balance: await readBalance(asked),
    ...(await times(asked)),
    timeToRemedy: await timeToRemedy(asked),
    sla: await sla(asked),
    ageing: await ageing(asked),
    oldest: await oldest(asked),
    deeds: await deeds(asked),
  };
}

export async function readBalance({ tx, from, to }: Asked): Promise<People['balance']> {
  const [row] = await tx.query<Omit<People['balance'], 'addsUp'>>(
    `SELECT count(*) FILTER (WHERE ${WAS_OPEN('$1')})::int AS opening,
            count(*) FILTER (WHERE created_at >= $1 AND created_at < $2)::int AS created,
            count(*) FILTER (WHERE decided_at >= $1 AND decided_at < $2 AND state = 'COMPLETED')::int AS decided,
            count(*) FILTER (WHERE ${ENDED_AT} >= $1 AND ${ENDED_AT} < $2 AND state <> 'COMPLETED')::int AS ended,
            count(*) FILTER (WHERE ${WAS_OPEN('$2')})::int AS closing
       FROM review WHERE created_at < $2 AND (${ENDED_AT} IS NULL OR ${ENDED_AT} >= $1)`,
    [from, to],
  );
  const counts = row ?? { opening: 0, created: 0, decided: 0, ended: 0, closing: 0 };
  const { opening, created, decided, ended, closing } = counts;
  return { ...counts, addsUp: opening + created - decided - ended === closing };
}

async function times({ tx, from, to }: Asked): Promise<Pick<People, 'timeToClaim' | 'timeToDecision'>> {
  const [row] = await tx.query<{ claim: Spread; decision: Spread }>(
    `SELECT ${spread('taken_at - created_at', 'claim', 'taken_at >= $1 AND taken_at < $2')},
            ${spread('decided_at - created_at', 'decision', `decided_at >= $1 AND decided_at < $2 AND state = 'COMPLETED'`)}
       FROM review WHERE (taken_at >= $1 AND taken_at < $2) OR (${ENDED_AT} >= $1 AND ${ENDED_AT} < $2)`,
    [from, to],
  );
  return { timeToClaim: row?.claim ?? NO_SPREAD, timeToDecision: row?.decision ?? NO_SPREAD };
}

async function timeToRemedy({ tx, from, to }: Asked): Promise<Spread> {
  const [row] = await tx.query<{ took: Spread }>(
    `SELECT ${spread('remedied_at - opened_at', 'took')} FROM remedy WHERE remedied_at >= $1 AND remedied_at < $2`,
    [from, to],
  );
  return row?.took ?? NO_SPREAD;
}

/** Kept: ended before the deadline. Breached: ended at or after it, or still open when it passed. */
const sla = ({ tx, from, to }: Asked): Promise<People['sla']> =>
  tx.query<People['sla'][number]>(
    `SELECT queue, coalesce(verdict, 'none') AS severity,
            count(*) FILTER (WHERE ended_at < due_at)::int AS met,
            count(*) FILTER (WHERE ended_at >= due_at)::int AS breached
       FROM (SELECT queue, verdict, due_at, coalesce(${ENDED_AT}, 9007199254740991) AS ended_at
               FROM review WHERE due_at IS NOT NULL AND state <> 'CANCELLED' AND created_at < $2) r
      WHERE CASE WHEN ended_at < due_at THEN ended_at ELSE due_at END >= $1
        AND CASE WHEN ended_at < due_at THEN ended_at ELSE due_at END < $2
      GROUP BY 1, 2 ORDER BY 1, 2`,
    [from, to],
  );

async function ageing({ tx, to }: Asked): Promise<People['ageing']> {
  const rows = await tx.query<{ n: number; count: number }>(
    `SELECT width_bucket(($1::bigint - created_at)::float8, $2::float8[]) AS n, count(*)::int AS count
       FROM review WHERE ${WAS_OPEN('$1')} GROUP BY 1`,
    [to, AGES.map(([fromDays]) => fromDays * DAY_MS)],
  );
  const counts = new Map(rows.map(({ n, count }) => [n, count]));
  return AGES.map(([fromDays, toDays], index) => ({ fromDays, toDays, count: counts.get(index + 1) ?? 0 }));
}

async function oldest({ tx, to }: Asked): Promise<People['oldest']> {
  const rows = await tx.query<{
    id: string;
    title: string;
    queue: string;
    at: string;
    holder: string | null;
  }>(
    `SELECT id, title, queue, created_at AS at, claimed_by_name AS holder FROM review
      WHERE ${WAS_OPEN('$1')} ORDER BY created_at, id LIMIT 10`,
    [to],
  );
  return rows.map(({ id, title, queue, at, holder }) => ({
    reviewId: id,
    title,
    queue,
    openedAt: iso(at),
    holder,
  }));
}

async function deeds({ tx, from, to }: Asked): Promise<People['deeds']> {
  const [row] = await tx.query<People['deeds']>(
    `SELECT count(*) FILTER (WHERE action = 'review.escalated')::int AS escalated,
            count(*) FILTER (WHERE action IN ('review.reassigned', 'review.delegated'))::int AS reassigned,
            count(*) FILTER (WHERE action = 'review.expired')::int AS expired,
            (SELECT count(*)::int FROM review
              WHERE decided_at >= $1 AND decided_at < $2 AND decided_via = 'system') AS "autoDecided",
            count(*) FILTER (WHERE action = 'review.reminded')::int AS reminded,
            count(*) FILTER (WHERE action = 'review.asked')::int AS "askedBack",
            (SELECT count(*)::int FROM review_vote v
              WHERE v.at >= $1 AND v.at < $2 AND v.is_override AND v.withdrawn_at IS NULL) AS overridden
       FROM audit_event WHERE at >= $1 AND at < $2 AND action LIKE 'review.%'`,
    [from, to],
  );
  return (
    row ?? {
      escalated: 0,
      reassigned: 0,
      expired: 0,
      autoDecided: 0,
      reminded: 0,
      askedBack: 0,
      overridden: 0,
    }
  );
}
