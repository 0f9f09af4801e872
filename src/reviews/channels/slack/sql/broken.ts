import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/** A channel by its id, or the workspace as a whole. */
export const WORKSPACE = '*';

/** Where nothing can be told. */
export interface BrokenPlace {
  /** A channel's id; `*` for the whole workspace. */
  readonly place: string;
  readonly since: Instant;
  /** Slack's word for it. */
  readonly reason: string;
}

interface BrokenRow {
  readonly place: string;
  readonly since: string;
  readonly reason: string;
}

const toBroken = (row: BrokenRow): BrokenPlace => ({ ...row, since: Number(row.since) });

// More broken channels than this are one trouble.
const MOST = 200;

export async function brokenPlaces(db: Queryable): Promise<BrokenPlace[]> {
  const rows = await db.query<BrokenRow>(
    'SELECT place, since, reason FROM slack_broken ORDER BY since, place LIMIT $1',
    [MOST],
  );
  return rows.map(toBroken);
}

/** Whether nothing can be told in this channel now: because of it, or of the workspace. */
export async function brokenFor(db: Queryable, channel: string): Promise<BrokenPlace | undefined> {
  const [row] = await db.query<BrokenRow>(
    `SELECT place, since, reason FROM slack_broken WHERE place IN ('${WORKSPACE}', $1) ORDER BY place LIMIT 1`,
    [channel],
  );
  return row && toBroken(row);
}

/** Whether it is broken still; until the transaction ends it stays so, and whoever finds it mended waits. */
export async function staysBroken(tx: Queryable, place: string): Promise<boolean> {
  const rows = await tx.query('SELECT 1 FROM slack_broken WHERE place = $1 FOR SHARE', [place]);
  return rows.length === 1;
}

/** @returns whether it is new: of many who find it at the same time, to one. */
export async function markBroken(tx: Queryable, broken: BrokenPlace): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO slack_broken (place, since, reason) VALUES ($1, $2, $3)
     ON CONFLICT (place) DO NOTHING RETURNING place`,
    [broken.place, broken.since, broken.reason],
  );
  return rows.length === 1;
}

/** @returns since when it was; `undefined` for one that was not. */
export async function unmarkBroken(tx: Queryable, place: string): Promise<Instant | undefined> {
  const [row] = await tx.query<{ since: string }>(
    'DELETE FROM slack_broken WHERE place = $1 RETURNING since',
    [place],
  );
  return row && Number(row.since);
}
