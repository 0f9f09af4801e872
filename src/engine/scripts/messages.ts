/** What a script may use. */
export interface ScriptLimits {
  /** After this the script is interrupted; after twice as long its thread is ended. */
  readonly limitMs: number;
  /** Heap of the script, and half of what the whole sandbox may have. */
  readonly memoryBytes: number;
  /** Of the result as JSON text. */
  readonly maxResultCharacters: number;
}

/** From the pool to a thread. */
export interface Order extends ScriptLimits {
  readonly expression: string;
  /** JSON text. */
  readonly input: string;
  readonly now: number;
  readonly seed: string;
}

/** The result as JSON text, or what is wrong with the script. */
export type SandboxResult =
  { readonly ok: true; readonly json: string } | { readonly ok: false; readonly message: string };

/** From a thread to the pool. A thread has one order at a time. */
export type Report = { readonly kind: 'ready' } | { readonly kind: 'result'; readonly result: SandboxResult };
