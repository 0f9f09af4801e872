import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { csvLines, type CsvValue } from '../render/csv.js';

/** [from, to) */
export interface Range {
  readonly from: Instant;
  readonly to: Instant;
}

/** A column of a population file: its heading is also the name of the field in JSON. */
export interface Column<Row> {
  readonly heading: string;
  readonly value: (row: Row) => Exclude<CsvValue, undefined>;
}

/** Everything of one kind that a time holds, in an order that is always the same. */
export interface Population<Row> {
  readonly columns: readonly Column<Row>[];
  /** @param db a snapshot, so that all pages are of one moment. */
  readonly rows: (db: Queryable, range: Range) => AsyncGenerator<Row>;
}

// A page is what is held in memory at a time: a megabyte or so.
export const PAGE = 1000;

/** The rows of a query that is asked page by page, each from the last row of the page before. */
export async function* paged<Row>(
  page: (after: Row | undefined) => Promise<readonly Row[]>,
  size = PAGE,
): AsyncGenerator<Row> {
  let after: Row | undefined;
  for (;;) {
    const rows = await page(after);
    yield* rows;
    after = rows.at(-1);
    if (rows.length < size) return;
  }
}

export const csvOf = <Row>(
  { columns, rows }: Population<Row>,
  db: Queryable,
  range: Range,
  options: { readonly bom?: boolean } = {},
): AsyncGenerator<string> => csvLines(columns, rows(db, range), options);

/** One object a line, its fields in the order of the columns. */
export async function* jsonLinesOf<Row>(
  { columns, rows }: Population<Row>,
  db: Queryable,
  range: Range,
): AsyncGenerator<string> {
  for await (const row of rows(db, range))
    yield `${JSON.stringify(Object.fromEntries(columns.map(({ heading, value }) => [heading, value(row)])))}\n`;
}

/** ISO 8601 in UTC; null for what has not happened. */
export const time = (at: number | string | null): string | null =>
  at === null ? null : new Date(Number(at)).toISOString();

export const column = <Row>(heading: string, value: Column<Row>['value']): Column<Row> => ({
  heading,
  value,
});

/** Before the first row, whatever its id. */
export const NO_UUID = '00000000-0000-0000-0000-000000000000';
