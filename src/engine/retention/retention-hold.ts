import type { Queryable } from '../../database/queryable.js';

// Any constant works as long as every process uses the same one.
const REMOVALS_LOCK = 7_205_759_405;

/**
 * Somebody who still refers to executions. Asked before they are removed; whoever cannot answer must throw, and nothing
 * is removed then.
 */
export abstract class RetentionHold {
  /** For the log: what holds them, as "open reviews". */
  abstract readonly name: string;
  /**
   * @param db to ask: a transaction that removes keeps others waiting, and could get no second connection from them.
   * @returns those of these workflows that must stay for now.
   */
  abstract held(workflowIds: readonly string[], db: Queryable): Promise<ReadonlySet<string>>;
}

/** Injection token of the classes of all holders; each is a provider of its stage's module. */
export const RETENTION_HOLDS = Symbol('RETENTION_HOLDS');

/**
 * For a transaction that makes ended executions stay: waits for a removal that is under way, and has the next one see what
 * is committed here. Nobody is told that they stay, and then they go.
 */
export const waitForRemovals = (tx: Queryable): Promise<unknown> =>
  tx.query('SELECT pg_advisory_xact_lock($1)', [REMOVALS_LOCK]);

/** The other side: from here to the end of the transaction nobody makes anything stay that was not asked about. */
export const keepOthersWaiting = (tx: Queryable): Promise<unknown> =>
  tx.query('SELECT pg_advisory_xact_lock_shared($1)', [REMOVALS_LOCK]);
