import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { LISTED_ROWS, type Spread } from '../data/parts.js';

/** What every section is read by: one state of the database, and the period [from, to) that it tells of. */
export interface Asked {
  readonly tx: Queryable;
  readonly from: Instant;
  /** The end of the period, or of what there is of it. */
  readonly to: Instant;
}

export const iso = (at: Instant | string): string => new Date(Number(at)).toISOString();
export const isoOrNull = (at: Instant | string | null): string | null => (at === null ? null : iso(at));

/** How a statement gives a {@link Spread} of milliseconds. Only fixed text goes in. */
export const spread = (milliseconds: string, name: string, when = 'true'): string => {
  const value = `greatest(0, ${milliseconds})`;
  const percentile = (share: number) =>
    `percentile_disc(${share}) WITHIN GROUP (ORDER BY ${value}) FILTER (WHERE ${when})`;
  return `json_build_object('count', count(*) FILTER (WHERE ${when}), 'p50Ms', ${percentile(0.5)}, 'p90Ms', ${percentile(0.9)},
    'p95Ms', ${percentile(0.95)}, 'maxMs', max(${value}) FILTER (WHERE ${when})) AS ${name}`;
};

export const NO_SPREAD: Spread = { count: 0, p50Ms: null, p90Ms: null, p95Ms: null, maxMs: null };

/** The rows that a report lists itself, of rows that carry the count of all as `total`. */
export function listedRows<Row, Shown>(
  rows: readonly (Row & { readonly total: number })[],
  file: string,
  show: (row: Row) => Shown,
): { total: number; file: string; rows: Shown[] } {
  return { total: rows[0]?.total ?? 0, file, rows: rows.slice(0, LISTED_ROWS).map(show) };
}
