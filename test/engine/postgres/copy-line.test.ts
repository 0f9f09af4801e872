import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { copyLine } from '../../../src/engine/postgres/copy-line.js';
import { openSessions, prepared } from '../../../src/engine/postgres/session.js';
import { testDatabase } from '../../support/database.js';

let database: Database;
let sessions: ReturnType<typeof openSessions>;
beforeAll(async () => {
  database = new Database((await testDatabase()).url);
  sessions = openSessions(database);
});
afterAll(async () => {
  await sessions.end();
  await database.close();
});

const text = fc
  .oneof(fc.string(), fc.constantFrom('', '\\N', '\\.', '\\', '\t', '\r\n', '\\t\t', '\u2028', '𝒳'))
  .map((value) => value.replaceAll('\0', ''));
const row = fc.tuple(
  text,
  fc.option(text, { nil: undefined }),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.dictionary(text, text),
);

test('every row comes out of the table as it was copied in', async () => {
  const client = await sessions.connect();
  const session = prepared(client);
  try {
    await session.query(
      'CREATE TEMPORARY TABLE copied (n int, a text, b text, c bigint, d boolean, e json) ON COMMIT PRESERVE ROWS',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
        await session.query('TRUNCATE copied');
        const lines = rows.map((values, n) => copyLine([n, ...values]));
        await session.copyIn('COPY copied FROM STDIN', lines.join(''));
        const stored = await session.query('SELECT * FROM copied ORDER BY n');
        expect(stored.map(({ a, b, c, d, e }) => [a, b ?? undefined, c, d, e])).toEqual(rows);
      }),
      { numRuns: 60 },
    );
  } finally {
    client.release(true);
  }
});

test('a line that PostgreSQL refuses fails the whole copy and leaves the connection usable', async () => {
  const client = await sessions.connect();
  const session = prepared(client);
  try {
    await session.query('CREATE TEMPORARY TABLE refused (n int, e json)');
    const lines = copyLine([1, {}]) + copyLine([2, 'no json']);
    await expect(session.copyIn('COPY refused FROM STDIN', lines)).rejects.toMatchObject({ code: '22P02' });
    expect(await session.query('SELECT * FROM refused')).toEqual([]);
  } finally {
    client.release(true);
  }
});
