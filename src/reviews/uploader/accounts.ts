import type { Account } from './resolve.js';

/** Everybody with a local account, who decides reviews or not. Bound to the user directory. */
export abstract class Accounts {
  abstract list(): Promise<readonly Account[]>;
}
