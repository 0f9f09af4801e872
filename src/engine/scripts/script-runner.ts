import type { Instant } from '../../clock.js';
import type { ScriptResult } from '../model/command.js';
import type { JsonObject } from '../model/json.js';

/** One script to be evaluated. */
export interface ScriptRequest {
  /** JavaScript; its value is that of the last expression statement. */
  readonly expression: string;
  /** What the script sees as `$`. */
  readonly input: JsonObject;
  /** The only time that the script knows. */
  readonly now: Instant;
  /** Decides what Math.random gives: the same seed, the same numbers. */
  readonly seed: string;
  /** Who shares the time of the threads: scripts of one group never hold up those of another for long. */
  readonly group: string;
  /** Within a group these take turns. */
  readonly member: string;
}

/** Evaluates scripts that nobody has to trust. */
export abstract class ScriptRunner {
  /**
   * Resolves with what the script came to, also when it ran into a limit. Rejects with Overloaded when too many wait
   * and with Unavailable when scripts cannot be evaluated at all; either says nothing about the script.
   */
  abstract evaluate(request: ScriptRequest): Promise<ScriptResult>;
  /** Ends what runs and refuses what waits. */
  abstract close(): Promise<void>;
}
