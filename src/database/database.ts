import pg from 'pg';
import { queryable, type Queryable } from './queryable.js';

/**
 * The pool behind every statement that is not TypeORM's, and the one way to open a transaction.
 *
 * A transaction is passed on as an argument, never found in async-local storage.
 */
export class Database implements Queryable {
  readonly pool: pg.Pool;
  private readonly plain: Queryable;

  constructor(url: string, options: { maxConnections?: number; applicationName?: string } = {}) {
    this.pool = new pg.Pool({
      connectionString: url,
      max: options.maxConnections ?? 12,
      application_name: options.applicationName ?? 'sallyport',
      connectionTimeoutMillis: 10_000,
      idleTimeoutMillis: 60_000,
    });
    // An idle connection that PostgreSQL closes (restart, failover) is replaced by the pool at the next query, which
    // reports the failure where somebody waits for the answer; without a listener it would end the process.
    this.pool.on('error', () => undefined);
    // The same for a connection that is lent out and breaks between two statements: the next one reports it.
    this.pool.on('connect', (client) => client.on('error', () => undefined));
    this.plain = queryable(this.pool);
  }

  query<Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.plain.query<Row>(text, values);
  }

  /** Runs `work` in one transaction: commits when it resolves, rolls back and rethrows when it throws. */
  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const result = await work(queryable(client));
      await client.query('COMMIT');
      return result;
    } catch (error) {
      try {
        await client.query('ROLLBACK');
      } catch (rollbackError) {
        // The connection is gone, and the transaction with it; the first error is the one that explains.
        broken = rollbackError as Error;
      }
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}
