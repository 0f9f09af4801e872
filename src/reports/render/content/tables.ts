import type { Spread } from '../../data/parts.js';
import type { Table } from '../document.js';
import { spanOrDash } from '../words.js';

/** Before what is not kept as it was when the period ended. */
export const AS_OF_MAKING = 'As of when this report was made, and never restated';

/** What is not listed in the report itself, and where all of it is. */
export const moreOf = (listed: {
  readonly total: number;
  readonly file: string;
  readonly rows: readonly unknown[];
}): Pick<Table, 'more'> => ({
  more: { count: Math.max(0, listed.total - listed.rows.length), file: listed.file },
});

/** Durations side by side. */
export const spreadTable = (caption: string, rows: readonly (readonly [string, Spread])[]): Table => ({
  kind: 'table',
  caption,
  columns: [
    { heading: 'Of', width: 3 },
    { heading: 'Count', isNumber: true },
    { heading: 'Half within', isNumber: true, width: 1.3 },
    { heading: '90 % within', isNumber: true, width: 1.3 },
    { heading: '95 % within', isNumber: true, width: 1.3 },
    { heading: 'Longest', isNumber: true, width: 1.3 },
  ],
  rows: rows.map(([label, spread]) => [
    label,
    spread.count,
    spanOrDash(spread.p50Ms),
    spanOrDash(spread.p90Ms),
    spanOrDash(spread.p95Ms),
    spanOrDash(spread.maxMs),
  ]),
  empty: 'None.',
});
