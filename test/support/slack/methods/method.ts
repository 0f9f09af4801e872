import type { Arguments } from '../arguments.js';
import type { Tier } from '../pace.js';
import type { Json } from '../refusal.js';
import type { Workspace } from '../workspace.js';

/** What a method sees of the call beside its arguments. */
export interface Call {
  readonly workspace: Workspace;
  readonly args: Arguments;
  /** Whether the token was granted it. */
  readonly hasScope: (scope: string) => boolean;
  /** @throws Refusal `missing_scope` that says which. */
  readonly needScope: (scope: string) => void;
  /** Where the fake answers: `http://127.0.0.1:port`. */
  readonly origin: string;
}

/** One method of the web API. */
export interface Method {
  /** Scope that every call of it needs. */
  readonly scope?: string;
  readonly tier?: Tier;
  /** The token that it is called with; the bot's when left out. */
  readonly token?: 'app';
  readonly run: (call: Call) => Json;
}

/** A family of methods by their names. */
export type Methods = Readonly<Record<string, Method>>;
