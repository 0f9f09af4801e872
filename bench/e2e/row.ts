/** One line of the table. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** As in `<= 300`; empty for a figure that stands beside ours to compare. */
  readonly must: string;
  readonly ok: boolean;
  /** Where the figure comes from: the rounds, the peer's. */
  readonly from: string;
}

export type Say = (line: string) => void;

/** Three significant digits. */
export const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/\.0+$/, '');

export const atLeast = (value: number, bar: number) => ({ must: `>= ${bar}`, ok: value >= bar });
export const atMost = (value: number, bar: number) => ({ must: `<= ${bar}`, ok: value <= bar });
/** A figure to compare with. */
export const beside = { must: '', ok: true };
