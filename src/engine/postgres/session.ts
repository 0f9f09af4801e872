import { createHash } from 'node:crypto';
import { Pool, types as pgTypes, type ClientBase, type CustomTypesConfig } from 'pg';
import type { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { StoreFailure } from '../execution-store.js';

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
 */
const PLANNING = `
  SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off`;

// Three lanes, claims, the lookout and a few readers.
const MAX_CONNECTIONS = 8;

/** Connections of the engine's own to the database that `database` talks to. */
export function openSessions(database: Database): Pool {
  const { options } = database.pool;
  const pool = new Pool({
    ...options,
    max: MAX_CONNECTIONS,
    application_name: 'sallyport-engine',
    // The pool waits for what this returns before it lends the connection, though its type does not say so.
    onConnect: (client) => {
      // Between two statements of a transaction nobody else listens, and the event would end the process.
      client.on('error', () => undefined);
      return client.query(PLANNING) as unknown as void;
    },
  });
  // As in Database: the next query tells who waits for it.
  pool.on('error', () => undefined);
  return pool;
}

/** Statements that are parsed once per connection, with bigint as number. */
export function prepared(client: ClientBase): Queryable {
  return {
    async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      const result = await client.query({ name: nameOf(text), text, values: [...values], types });
      // The statement and its Row stand next to each other; nothing else can check them.
      return result.rows as Row[];
    },
  };
}

/** Counts what passes through to `db`. */
export function counting(db: Queryable): Queryable & { readonly count: number } {
  let count = 0;
  return {
    get count() {
      return count;
    },
    query(text, values) {
      count += 1;
      return db.query(text, values);
    },
  };
}

/**
 * Sorts what PostgreSQL answered: wrong data (22, 23), or trouble that passes (40, 08, 53, 57, a lock not had in
 * time, a lost connection). Defects of our own statements stay as they are.
 */
export function classify(error: unknown, committing: boolean): unknown {
  if (error instanceof StoreFailure) return error;
  const { code, text } = factsOf(error);
  const state = /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
  if (state === undefined) {
    // Not from the server: the socket broke, or none could be had.
    if (committing) return new StoreFailure('unknown', text, { cause: error });
    return isConnectionTrouble(error) ? new StoreFailure('transient', text, { cause: error }) : error;
  }
  if (/^2[23]/.test(state)) return new StoreFailure('data', text, { cause: error });
  if (/^(40|08|53|57)/.test(state) || state === '55P03' || state === '25P03') {
    return new StoreFailure(committing ? 'unknown' : 'transient', text, { cause: error });
  }
  return error;
}

function isConnectionTrouble(error: unknown): boolean {
  const { code, text } = factsOf(error);
  return /^E[A-Z]+$/.test(code) || /connection|timeout|terminated|socket|closed/i.test(text);
}

function factsOf(error: unknown): { code: string; text: string } {
  const text = error instanceof Error ? error.message : 'no answer';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return { code: typeof code === 'string' ? code : '', text };
}
