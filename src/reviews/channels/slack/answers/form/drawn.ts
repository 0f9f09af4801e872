import type { InputBlock } from '@slack/types';

/** JSON Schema as far as a field is drawn of it. */
export type Property = Readonly<Record<string, unknown>>;

/** A value that an option stands for. */
export type Choosable = string | number | boolean;

export type FieldKind = 'text' | 'number' | 'integer' | 'tick' | 'choice' | 'choices' | 'date' | 'moment';

/** The element of a field, what it holds at first, and what it answers with. */
export interface Drawn {
  readonly kind: FieldKind;
  readonly element: InputBlock['element'];
  readonly options?: readonly Choosable[];
  readonly initial?: unknown;
}

/** What cannot be drawn, and why, as the end of a sentence about the field. */
export class Undrawable extends Error {}
