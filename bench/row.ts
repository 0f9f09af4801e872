/** One line of a bench's table and of its JSON. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** As in `<= 300`; empty for a figure that stands beside ours to compare. */
  readonly must: string;
  readonly ok: boolean;
  /** Where the figure comes from, for people: the rounds, the peer's. */
  readonly from: string;
}

/** The rows under each other, with the judgement on each; `outcome` says another than `ok` and `MISSED`. */
export function table<R extends Row>(
  rows: readonly R[],
  figure: (value: number) => string,
  outcome: (row: R) => string = ({ must, ok }) => (must === '' ? '' : ok ? 'ok' : 'MISSED'),
): string {
  const lines = rows.map((row) => [
    row.name,
    `${figure(row.value)} ${row.unit}`,
    row.must,
    outcome(row),
    row.from,
  ]);
  const all = [['measure', 'figure', 'must', '', 'from'], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((line) => (line[column] ?? '').length)));
  return [
    '',
    ...all.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')),
  ].join('\n');
}
