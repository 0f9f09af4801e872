import type { Style } from './lines.js';

/** Where the lines go. */
export interface Output {
  /** What was asked for. */
  readonly out: (line: string) => void;
  /** What happens beside it: a lost connection, a remedy, how far long work is. */
  readonly note: (line: string) => void;
  readonly style: Style;
  /** Where a line can be drawn again and again; `undefined` where nobody looks on. */
  readonly terminal?: Terminal | undefined;
  /** Puts a question to whoever sits there; `undefined` where nobody does. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  /** The same, and what is typed is not shown. */
  readonly askSecret?: ((question: string) => Promise<string>) | undefined;
  /** All that is piped in. */
  readonly pipedIn?: (() => Promise<string>) | undefined;
}

/** A screen beside the output. */
export interface Terminal {
  readonly write: (text: string) => void;
  readonly columns: () => number;
}
