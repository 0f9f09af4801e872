/**
 * Somebody who still refers to executions. Asked before they are removed; whoever cannot answer must throw, and nothing
 * is removed then.
 */
export abstract class RetentionHold {
  /** For the log: what holds them, as "open reviews". */
  abstract readonly name: string;
  /** @returns those of these workflows that must stay for now. */
  abstract held(workflowIds: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Injection token of the classes of all holders; each is a provider of its stage's module. */
export const RETENTION_HOLDS = Symbol('RETENTION_HOLDS');
