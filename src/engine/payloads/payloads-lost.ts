import { StoreFailure } from '../execution-store.js';

/** A commit wanted to refer to values that were taken for unused and removed meanwhile; nothing was stored. */
export class PayloadsLost extends StoreFailure {
  constructor(readonly keys: readonly string[]) {
    super(
      'transient',
      'Stored values waited too long for the commit that refers to them; they are stored again',
    );
  }
}
