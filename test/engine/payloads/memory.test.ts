import { expect, test } from 'vitest';
import { memoryInUse } from '../../../bench/engine/programs/pace.js';
import { Database } from '../../../src/database/database.js';
import { PostgresPayloadStore } from '../../../src/engine/payloads/postgres-payload.store.js';
import { chain, FunctionWorker, register, startEngine, stopEngine, TESTER } from '../../support/engine.js';
import { testDatabase } from '../../support/database.js';
import { postgresStores } from '../runtime/stores.js';

const makeStores = postgresStores();
const MEBIBYTE = 1024 * 1024;
const WORKFLOWS = 100;
// A collection takes a while: enough looks to see growth.
const LOOK_EVERY = 10;
// What the engine may remember of values and workflows (32 and 64 MB), and what two decisions hold. All values at once
// would be about 800 MB.
const BOUND_BYTES = 200 * MEBIBYTE;

test('the heap does not grow with the number of large values', { timeout: 240_000 }, async () => {
  const stores = await (await makeStores()).open();
  const database = new Database((await testDatabase()).url);
  const store = new PostgresPayloadStore(database);
  const it = await startEngine(stores, {
    payloadStores: { primary: store, fallback: store },
    workers: [
      new FunctionWorker('make', () => ({
        kind: 'completed',
        output: { rows: Array.from({ length: 40_000 }, (_, i) => `${i} ${'x'.repeat(100)}`) },
      })),
      new FunctionWorker('end', () => ({ kind: 'completed', output: { done: true } })),
    ],
  });
  try {
    await register(it, chain('heavy', 'make', 'end'));
    const before = memoryInUse().heapUsed;
    let most = 0;
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next++ < WORKFLOWS) {
        const { execution } = await it.engine.execute(
          { name: 'heavy' },
          { waitMs: Infinity, references: [] },
          TESTER,
        );
        expect(execution.status).toBe('COMPLETED');
        if (next % LOOK_EVERY === 0) most = Math.max(most, memoryInUse().heapUsed - before);
      }
    };
    await Promise.all([lane(), lane()]);
    const [row] = await database.query<{ n: string; bytes: string }>(
      'SELECT count(*) AS n, sum(bytes) AS bytes FROM external_payload',
    );
    expect(Number(row?.n)).toBe(WORKFLOWS);
    expect(Number(row?.bytes)).toBeGreaterThan(WORKFLOWS * 4 * 1000 * 1000);
    console.info(`heap grew by at most ${Math.round(most / MEBIBYTE)} MB`);
    expect(most).toBeLessThan(BOUND_BYTES);
  } finally {
    await stopEngine(it);
    await database.close();
  }
});
