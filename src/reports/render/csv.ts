export type CsvValue = string | number | boolean | null | undefined;

export interface CsvColumn<Row> {
  readonly heading: string;
  readonly value: (row: Row) => CsvValue;
}

/*
 * A spreadsheet runs a text that begins with one of = + - @ as a formula, also behind white space and in its full-width
 * form, and some do so behind a tab or a return. Apostrophes that stand there already count as well, so that taking off one
 * gives back what was written.
 */
const FORMULA = /^'*(?:[\t\r]|[\p{Cc}\p{Cf}\p{Z}]*[=+\-@＝＋－＠])/u;

// Semicolons and tabs too: where these part the columns, a formula behind one would begin a cell of its own.
const QUOTED = /[",;\t\r\n]|^[\s']|\s$/;

/**
 * UTF-8 by RFC 4180, line by line, each with its CRLF. Text that a spreadsheet would run begins with an apostrophe.
 * @param options.bom for spreadsheets that take a file without one for something else than UTF-8.
 */
export async function* csvLines<Row>(
  columns: readonly CsvColumn<Row>[],
  rows: AsyncIterable<Row> | Iterable<Row>,
  options: { readonly bom?: boolean } = {},
): AsyncGenerator<string> {
  yield `${options.bom === true ? '\ufeff' : ''}${lineOf(columns.map(({ heading }) => heading))}`;
  for await (const row of rows) yield lineOf(columns.map(({ value }) => value(row)));
}

const lineOf = (values: readonly CsvValue[]): string => `${values.map(fieldOf).join(',')}\r\n`;

function fieldOf(value: CsvValue): string {
  if (value === null || value === undefined) return '';
  // A number is a number in every spreadsheet, also below zero.
  if (typeof value !== 'string') return String(value);
  const text = value.toWellFormed();
  const inert = FORMULA.test(text) ? `'${text}` : text;
  return QUOTED.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
