import { StoreFailure } from '../execution-store.js';

/** Statements of one transaction that were sent and not waited for. */
export class Sent {
  private readonly statements: Promise<unknown>[] = [];
  private readonly failures: unknown[] = [];

  /** @param statement has left already, and sends nothing more: COMMIT would overtake it. */
  add(statement: Promise<unknown>): void {
    // Somebody is always told: whoever waits for COMMIT. Until then a failure here is nobody's.
    const index = this.statements.length;
    statement.catch((error: unknown) => {
      this.failures[index] = error;
    });
    this.statements.push(statement);
  }

  /**
   * Waits for all of them and for COMMIT behind them. Rejects with the first failure: COMMIT only tells that there was
   * one, by rolling back.
   */
  async followedBy(committed: Promise<{ readonly command: string }>): Promise<void> {
    const outcome = committed.then(
      ({ command }) => command,
      (error: unknown) => error,
    );
    this.statements.push(outcome);
    await Promise.all(this.statements);
    const said = await outcome;
    if (said === 'COMMIT') return;
    throw typeof said === 'string'
      ? new StoreFailure('transient', `PostgreSQL answered COMMIT with ${said}`)
      : said;
  }

  /** Resolves when none is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.statements);
  }

  /**
   * What went wrong, once all are settled: what was sent behind it only heard that the transaction was over, and may have
   * heard it first.
   */
  cause(error: unknown): unknown {
    return isEcho(error) ? (this.failures.find((one) => one !== undefined && !isEcho(one)) ?? error) : error;
  }

  /** Whether the server refused one of them for this reason, so that COMMIT behind it committed nothing. */
  hasFailed(error: unknown): boolean {
    return this.failures.includes(error) && error instanceof Error && 'severity' in error;
  }
}

// "current transaction is aborted, commands ignored until end of transaction block"
const isEcho = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '25P02';
