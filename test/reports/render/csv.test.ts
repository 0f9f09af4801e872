import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLines, type CsvValue } from '../../../src/reports/render/csv.js';

type Row = readonly CsvValue[];

async function written(rows: readonly Row[], options?: { readonly bom?: boolean }): Promise<string> {
  const columns = ['a', 'b', 'c'].map((heading, index) => ({ heading, value: (row: Row) => row[index] }));
  let csv = '';
  for await (const line of csvLines(columns, rows, options)) csv += line;
  return csv;
}

/** A reader by the letter of RFC 4180, which refuses everything else. */
function parsed(csv: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let rest = csv;
  while (rest !== '') {
    const match = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest);
    if (match === null) throw new Error(`no CSV: ${JSON.stringify(rest.slice(0, 40))}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') {
      rows.push(row);
      row = [];
    }
    rest = rest.slice(match[0].length);
  }
  return rows;
}

const RUNS = /^[\p{Cc}\p{Cf}\p{Z}]*[=+\-@＝＋－＠]|^[\t\r]/u;
const unmarked = (field: string): string =>
  field.startsWith("'") && RUNS.test(field.replace(/^'+/, '')) ? field.slice(1) : field;
const shown = (value: CsvValue): string =>
  value === null || value === undefined ? '' : String(value).toWellFormed();

describe('a CSV file', () => {
  const hostile = fc.string({
    unit: fc.constantFrom(
      ...Array.from('=+-@＝＋－＠\t\r\n\'",; aé\u00a0\u200b\ufeff\u202e'),
      '😀',
      '\ud800',
      '\u0000',
    ),
    maxLength: 8,
  });
  const value = fc.oneof(
    hostile,
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
  );

  it('says what was put in, but for the mark before what a spreadsheet would run', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(value, value, value), { maxLength: 6 }), async (rows) => {
        const [headings, ...read] = parsed(await written(rows));
        expect(headings).toEqual(['a', 'b', 'c']);
        expect(read.map((row) => row.map(unmarked))).toEqual(rows.map((row) => row.map(shown)));
      }),
      { numRuns: 1000 },
    );
  });

  it('holds no text that a spreadsheet would run', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(hostile, hostile, hostile), { maxLength: 6 }), async (rows) => {
        for (const field of parsed(await written(rows)).flat()) expect(field).not.toMatch(RUNS);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['=1+1', "'=1+1"],
    ['  @SUM(A1)', "'  @SUM(A1)"],
    ['＝1+1', "'＝1+1"],
    ['\u200b-1', "'\u200b-1"],
    ["'=1", "''=1"],
    ['a=1', 'a=1'],
    ["'quoted'", "'quoted'"],
  ])('makes %j of %j', async (text, field) => {
    expect(parsed(await written([[text, null, null]]))[1]?.[0]).toBe(field);
  });

  it('leaves numbers below zero numbers', async () => {
    expect(await written([[-1, true, undefined]])).toBe('a,b,c\r\n-1,true,\r\n');
  });

  it('begins with a byte order mark only where it is asked for', async () => {
    expect(await written([], { bom: true })).toBe('\ufeffa,b,c\r\n');
    expect(await written([])).toBe('a,b,c\r\n');
  });

  it('is written while its rows are still read', async () => {
    let read = 0;
    async function* rows() {
      for (; read < 1_000_000; read += 1) yield read;
    }
    const lines = csvLines([{ heading: 'n', value: (row: number) => row }], rows());
    await lines.next();
    expect(await lines.next()).toEqual({ value: '0\r\n', done: false });
    expect(read).toBeLessThan(2);
    await lines.return(undefined);
  });
});
