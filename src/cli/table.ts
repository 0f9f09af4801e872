import { visible } from '../outbound/safe-text.js';

const MAX_CELL = 100;

/** Rows under a head, in columns as wide as they need; every cell is shown as text, whatever it holds. */
export function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map(cell));
  const widths = head.map((_, column) =>
    Math.max(...cells.map((row) => Array.from(row[column] ?? '').length)),
  );
  return cells.map((row) =>
    row
      .map((text, column) => text + ' '.repeat((widths[column] ?? 0) - Array.from(text).length))
      .join('  ')
      .trimEnd(),
  );
}

/** What is not known is a dash. */
function cell(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  return visible(typeof value === 'string' ? value : JSON.stringify(value), MAX_CELL);
}
