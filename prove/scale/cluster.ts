import { join } from 'node:path';
import { Pool, type QueryResultRow } from 'pg';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../src/embedded/postgres/start-embedded-postgres.js';
import type { CleanUp } from './clean-up.js';

/** One database of the proof's own server. */
export class Scratch {
  constructor(
    /** Of the role that owns it, as the service logs in. */
    readonly url: string,
    private readonly pool: Pool,
    /** Of the server's own role, which may do anything. */
    readonly adminUrl: string,
  ) {}

  async query<Row extends QueryResultRow = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    return (await this.pool.query<Row>(text, [...values])).rows;
  }

  async one<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row> {
    const [row] = await this.query<Row>(text, values);
    if (row === undefined) throw new Error(`no row: ${text}`);
    return row;
  }

  /** Statements by turns on one connection, all or none. */
  async transaction(
    work: (query: (text: string, values?: readonly unknown[]) => Promise<unknown>) => Promise<void>,
  ): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      await work((text, values = []) => client.query(text, [...values]));
      await client.query('COMMIT');
    } finally {
      // A transaction that failed goes with its connection.
      client.release(true);
    }
  }
}

/** The embedded PostgreSQL as a service starts it, durable and with its own settings, with two databases. */
export interface Cluster {
  readonly empty: Scratch;
  readonly parked: Scratch;
}

export async function startCluster(folder: string, cleanUp: CleanUp): Promise<Cluster> {
  const postgres = await startEmbeddedPostgres({
    directory: join(folder, 'postgres'),
    isDurable: true,
    // Made for one service; here are two, and the proof.
    settings: { max_connections: '100' },
  });
  cleanUp.add(() => postgres.stop());
  const open = (url: string, loginUrl: string): Scratch => {
    const pool = new Pool({ connectionString: url, max: 3 });
    // The server ends before the pool when a signal cuts the proof short.
    pool.on('error', () => undefined);
    cleanUp.add(() => pool.end());
    return new Scratch(loginUrl, pool, url);
  };
  const parked = open(postgres.adminUrl, postgres.url);
  return { parked, empty: await another(postgres, 'empty', parked, open) };
}

async function another(
  { url, adminUrl }: EmbeddedPostgres,
  name: string,
  beside: Scratch,
  open: (url: string, loginUrl: string) => Scratch,
): Promise<Scratch> {
  await beside.query(`CREATE DATABASE ${name} OWNER ${new URL(url).username}`);
  const named = (of: string): string => {
    const changed = new URL(of);
    changed.pathname = `/${name}`;
    return changed.href;
  };
  return open(named(adminUrl), named(url));
}
