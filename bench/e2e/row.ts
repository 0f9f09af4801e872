export type Say = (line: string) => void;

/** Three significant digits. */
export const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/\.0+$/, '');

export const atLeast = (value: number, bar: number) => ({ must: `>= ${bar}`, ok: value >= bar });
export const atMost = (value: number, bar: number) => ({ must: `<= ${bar}`, ok: value <= bar });
/** A figure to compare with. */
export const beside = { must: '', ok: true };
