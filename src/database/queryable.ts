import type pg from 'pg';

/** What a statement needs: a pool, a client in a transaction, or a test's recorder. Returns the rows. */
export interface Queryable {
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Wraps pg's client or pool. */
export function queryable(client: pg.ClientBase | pg.Pool): Queryable {
  return {
    async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      const result = await client.query(text, [...values]);
      return result.rows as Row[];
    },
  };
}
