import { createHash } from 'node:crypto';
import { Pool, types as pgTypes, type ClientBase, type Connection, type CustomTypesConfig } from 'pg';
import { dropIdle, type Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { isPooled, settle, type SessionSettings } from '../../database/session-settings.js';
import { troubleOf } from '../../database/trouble.js';
import { StoreFailure } from '../execution-store.js';
import { copyIn } from './inline-copy.js';

const INT8 = 20;

/** bigint columns hold milliseconds, revisions and tags: all below 2^53. */
const types: CustomTypesConfig = {
  getTypeParser: (oid: number) => (oid === INT8 ? Number : pgTypes.getTypeParser(oid)),
};

// The texts are constants of this folder, so this stays as small as the number of statements.
const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash('sha1').update(text).digest('base64url').slice(0, 20);
    names.set(text, name);
  }
  return name;
}

/*
 * Statements are prepared, and a plan that was made while the tables were empty (all in sequence, hashed) would stay
 * until the next ANALYZE. Every statement here has an index, so these connections plan with nothing else.
 *
 * The limits: a batch that is held up longer than this is better tried again, and a node that fell silent in a
 * transaction must not hold the rows of its batch much longer than it counts as alive.
 */
export const ENGINE_SETTINGS: SessionSettings = {
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  // With no choice left, planning anew for each call gains nothing: a claim of one task took 1.2 ms with, 0.5 ms without.
  plan_cache_mode: 'force_generic_plan',
  statement_timeout: '14s',
  idle_in_transaction_session_timeout: '15s',
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
};

const QUERY_TIMEOUT_MS = 15_000;

/** Connections of the engine's own to the database that `database` talks to. */
export function openSessions(database: Database): Pool {
  const { options } = database.pool;
  const pool = new Pool({
    ...options,
    max: database.sizes.engine,
    application_name: 'sallyport-engine',
    query_timeout: QUERY_TIMEOUT_MS,
    // What is not waited for goes out at once: a batch takes two turns instead of ten.
    pipeline: true,
    onConnect: (client) => {
      // Between two statements of a transaction nobody else listens, and the event would end the process.
      client.on('error', () => undefined);
      return settle(client, ENGINE_SETTINGS) as unknown as void;
    },
  });
  // As in Database: the next query tells who waits for it.
  pool.on('error', () => undefined);
  database.state.onLost(() => dropIdle(pool));
  return pool;
}

/** A connection that also takes rows in bulk. */
export interface Session extends Queryable {
  /** Runs a COPY … FROM STDIN with these lines (`copyLine`), all or none. */
  copyIn(statement: string, lines: string): Promise<void>;
}

/**
 * Everything that is sent from here to the end of this turn of the event loop leaves in one write: pg makes one of each
 * statement, and a write costs more than the server's work on most of them.
 */
export function gather(client: ClientBase): void {
  const { stream } = (client as ClientBase & { readonly connection: Connection }).connection;
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

/**
 * Statements that are parsed once per connection, with bigint as number. Through a pooler they are parsed each time:
 * the next one may meet another server connection, and older poolers cannot carry names over.
 */
export function prepared(client: ClientBase): Session {
  const isDirect = !isPooled(client);
  return {
    copyIn(statement, lines) {
      gather(client);
      return copyIn(client, statement, lines);
    },
    async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      const config = { text, values: [...values], types };
      gather(client);
      const result = await client.query(isDirect ? { ...config, name: nameOf(text) } : config);
      // The statement and its Row stand next to each other; nothing else can check them.
      return result.rows as Row[];
    },
  };
}

/** Counts what passes through to `db`. */
export function counting(db: Session): Session & { readonly count: number } {
  let count = 0;
  return {
    get count() {
      return count;
    },
    query(text, values) {
      count += 1;
      return db.query(text, values);
    },
    copyIn(statement, lines) {
      count += 1;
      return db.copyIn(statement, lines);
    },
  };
}

/**
 * Whether a prepared statement became useless because a migration gave a table another column: its connection can
 * never run it again, a new one can.
 */
export const isStalePlan = (error: unknown): boolean =>
  error instanceof Error &&
  (isStalePlan(error.cause) || error.message === 'cached plan must not change result type');

/**
 * Sorts what PostgreSQL answered: wrong data (22, 23, 54), or trouble that passes (40, a lock not had in time, and all
 * that `troubleOf` knows). Defects of our own statements stay as they are.
 */
export function classify(error: unknown, committing: boolean): unknown {
  if (error instanceof StoreFailure) return error;
  const text = error instanceof Error ? error.message : 'no answer';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const passes = new StoreFailure(committing ? 'unknown' : 'transient', text, { cause: error });
  if (troubleOf(error) !== undefined || isStalePlan(error)) return passes;
  // Not from the server (EPIPE and its like have five letters too): the socket broke, or none could be had.
  const state = /^(?!E[A-Z]+$)[0-9A-Z]{5}$/.test(code) ? code : undefined;
  if (state === undefined) return committing || isConnectionTrouble(code, text) ? passes : error;
  if (/^(22|23|54)/.test(state)) return new StoreFailure('data', text, { cause: error });
  return /^(40|57)/.test(state) || state === '55P03' ? passes : error;
}

const isConnectionTrouble = (code: string, text: string): boolean =>
  /^E[A-Z]+$/.test(code) || /connection|timeout|terminated|socket|closed/i.test(text);
