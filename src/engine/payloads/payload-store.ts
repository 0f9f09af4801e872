import { AppError } from '../../errors.js';

/**
 * Keeps large values as JSON text. A key is written once and never changed, so every method may be repeated.
 *
 * Implementations pass `test/engine/conformance/payload-store.suite.ts`.
 */
export abstract class PayloadStore {
  /** Stands in every reference: what was written under another configuration is still found. */
  abstract readonly name: string;
  /** Durable when it resolves. */
  abstract put(key: string, text: string): Promise<void>;
  /** Throws PayloadGone when there is nothing under this key. */
  abstract get(key: string): Promise<string>;
  /** What is gone already is no error. */
  abstract remove(keys: readonly string[]): Promise<void>;
}

/** A row refers to a value that its store does not have: somebody removed it by hand. */
export class PayloadGone extends AppError {
  readonly code = 'PAYLOAD_GONE';
  readonly status = 410;
  constructor(key: string, options?: ErrorOptions) {
    super(
      `The payload ${key} is not in its store any more. Restore it from a backup, or terminate its workflow.`,
      options,
    );
  }
}
