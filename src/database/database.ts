import pg from 'pg';
import { connectionTo } from './connection.js';
import { DatabaseState, isTold } from './database-state.js';
import { poolSizes, type PoolSizes } from './pool-sizes.js';
import { queryable, type Queryable } from './queryable.js';
import { beginOf, GENERAL_LIMITS, GENERAL_QUERY_TIMEOUT_MS, settle } from './session-settings.js';
import { endsConnection, troubleOf } from './trouble.js';

export interface DatabaseOptions {
  /** Of this pool; `sizes.general` when left out. */
  readonly maxConnections?: number;
  readonly applicationName?: string;
  /** Shares of the whole process; the engine takes its own from here. */
  readonly sizes?: PoolSizes;
  /** Told what becomes of every statement; one of its own, that tells nobody, when left out. */
  readonly state?: DatabaseState;
}

/**
 * The pool behind every statement that is not TypeORM's, and the one way to open a transaction.
 *
 * A transaction is passed on as an argument, never found in async-local storage.
 */
export class Database implements Queryable {
  readonly pool: pg.Pool;
  readonly sizes: PoolSizes;
  readonly state: DatabaseState;
  private readonly plain: Queryable;

  constructor(url: string, options: DatabaseOptions = {}) {
    this.sizes = options.sizes ?? poolSizes();
    this.state = options.state ?? new DatabaseState();
    this.pool = new pg.Pool({
      ...connectionTo(url),
      max: options.maxConnections ?? this.sizes.general,
      application_name: options.applicationName ?? 'sallyport',
      idleTimeoutMillis: 60_000,
      query_timeout: GENERAL_QUERY_TIMEOUT_MS,
      // The pool waits for what this returns before it lends the connection, though its type does not say so.
      onConnect: (client) => {
        // A connection that breaks between two statements says so here; the next statement reports it.
        client.on('error', () => undefined);
        return settle(client, GENERAL_LIMITS) as unknown as void;
      },
    });
    // An idle connection that PostgreSQL closes (restart, failover) is replaced by the pool at the next query, which
    // reports the failure where somebody waits for the answer; without a listener it would end the process.
    this.pool.on('error', () => undefined);
    this.state.onLost(() => dropIdle(this.pool));
    this.plain = queryable(this.pool);
  }

  /** @param timeoutMs gives up earlier than the usual minute. */
  async query<Row = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
    timeoutMs?: number,
  ): Promise<Row[]> {
    const rows = await this.told(() =>
      timeoutMs === undefined
        ? this.plain.query<Row>(text, values)
        : this.impatient<Row>({ text, values: [...values], query_timeout: timeoutMs }),
    );
    if (this.state.isTroubled) this.state.succeeded('read');
    return rows;
  }

  private async impatient<Row>(query: pg.QueryConfig & { query_timeout: number }): Promise<Row[]> {
    return (await this.pool.query(query)).rows as Row[];
  }

  /** Runs `work` in one transaction: commits when it resolves, rolls back and rethrows when it throws. */
  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const client = await this.told(() => this.pool.connect());
    let broken: Error | undefined;
    try {
      await this.told(() => client.query(beginOf(client, GENERAL_LIMITS)));
      const plain = queryable(client);
      const result = await work({ query: (text, values) => this.told(() => plain.query(text, values)) });
      await this.told(() => client.query('COMMIT'));
      if (this.state.isTroubled) this.state.succeeded('read');
      return result;
    } catch (error) {
      // What `work` met elsewhere (a bucket that does not answer) says nothing about PostgreSQL.
      const isLost = isTold(error) && endsConnection(troubleOf(error));
      broken = await rollBack(client, isLost, error);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Lets the state know of a failure. */
  private async told<T>(statement: () => Promise<T>): Promise<T> {
    try {
      return await statement();
    } catch (error) {
      this.state.failed(error);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

/**
 * Hangs up what idles in a pool. After a failover or a silent firewall each of these would cost its next user a whole
 * time limit to find out.
 */
export function dropIdle(pool: pg.Pool): void {
  for (let left = pool.idleCount; left > 0; left--) {
    // Idle ones are lent first, and at once.
    pool.connect().then(
      (client) => client.release(true),
      // Somebody else met the same trouble, and told it.
      () => undefined,
    );
  }
}

/** Ends a transaction that failed. @returns why the connection is of no use any more, if it is not. */
export async function rollBack(
  client: pg.ClientBase,
  isLost: boolean,
  error: unknown,
): Promise<Error | undefined> {
  // Nobody may be there to answer: the server rolls back when it sees the connection go.
  if (isLost) return error instanceof Error ? error : new Error('the connection is of no use');
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (rollbackError) {
    // The connection is gone, and the transaction with it; the first error is the one that explains.
    return rollbackError as Error;
  }
}
