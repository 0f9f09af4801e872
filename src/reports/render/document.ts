import type { SectionId } from '../data/controls.js';
import type { Drawing } from './charts/drawing.js';
import type { Equation } from './equation.js';
import { counted, whole } from './words.js';

/*
 * What a report shows, said once: the page and the PDF are both drawn from this, so that they cannot differ. Texts are as
 * they are in the data; whoever draws makes them inert.
 */

export type Tone = 'good' | 'bad' | 'warn' | 'soft';

/** One line of a cell. */
export interface Line {
  readonly text: string;
  readonly tone?: Tone;
  /** Names and digests, in which every character counts. */
  readonly isCode?: boolean;
  readonly isStrong?: boolean;
}

/** `share` draws a bar of that part of the column. */
export type Cell = string | number | readonly Line[] | { readonly share: number };

export interface Column {
  readonly heading: string;
  /** Of the width that is there; 1 where nothing is said. */
  readonly width?: number;
  readonly isNumber?: boolean;
}

export interface Table {
  readonly kind: 'table';
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** Said instead of a table without rows. */
  readonly empty: string;
  /** How many rows are not in it, and the file that has them all. */
  readonly more?: { readonly count: number; readonly file: string };
  /** Paper has as many of its rows as the page. */
  readonly isRegister?: boolean;
}

/** All that is drawn stands in it, whole. */
export const DATA_FILE = 'report.json';

/** Where the rows are that a table does not show; `undrawn` are those that it has. Undefined where it shows all. */
export function moreText({ more = { count: 0, file: DATA_FILE } }: Table, undrawn = 0): string | undefined {
  if (more.count + undrawn === 0) return undefined;
  if (more.count === 0 || more.file !== DATA_FILE)
    return `${counted(more.count + undrawn, 'more', 'more')}, all in ${more.file}.`;
  // That file lists no more than the table has.
  const undrawnText = undrawn === 0 ? '' : `${whole(undrawn)} more in ${DATA_FILE}; `;
  return `${undrawnText}${whole(more.count)} more that are counted and listed nowhere.`;
}

export type Block =
  | { readonly kind: 'text'; readonly text: string; readonly tone?: Tone }
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'equation'; readonly equation: Equation }
  | { readonly kind: 'facts'; readonly facts: readonly (readonly [string, Cell])[] }
  | { readonly kind: 'chart'; readonly title: string; readonly drawing: Drawing }
  | Table;

export interface Section {
  readonly id: SectionId | 'about' | 'mapping';
  readonly title: string;
  /** `SOC 2 CC7.1`, …: what the section holds evidence for. */
  readonly speaksTo: readonly string[];
  readonly blocks: readonly Block[];
}
