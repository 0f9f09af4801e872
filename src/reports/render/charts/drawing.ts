/** What charts are painted with. The page takes its own colours for these names, which turn dark with it; print has one set. */
export type Ink = 'ink' | 'soft' | 'line' | 'accent' | 'good' | 'warn' | 'bad' | 'idle';

export type Shape =
  | {
      readonly kind: 'bar';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly ink: Ink;
    }
  | { readonly kind: 'path'; readonly points: readonly (readonly [number, number])[]; readonly ink: Ink }
  | {
      readonly kind: 'dot';
      readonly x: number;
      readonly y: number;
      readonly radius: number;
      readonly ink: Ink;
    }
  | {
      readonly kind: 'label';
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly anchor: 'start' | 'middle' | 'end';
      readonly ink: Ink;
    };

/**
 * A chart as shapes on a plane of its own, from the left and the top. There are three charts of a few bars each, drawn into
 * SVG and PDF: a library for that would be many times the size of all of them and would need a reader of SVG for the PDF.
 */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** What it shows, in one sentence, for whoever does not see it. The numbers stand in the table beside it. */
  readonly description: string;
  readonly shapes: readonly Shape[];
}
