import { afterAll, expect, test } from 'vitest';
import { testDatabase } from '../../support/database.js';
import { EngineOnDatabase } from '../../support/engine-on-database.js';
import { chain, FunctionWorker, TESTER } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';

const running: EngineOnDatabase[] = [];
afterAll(async () => {
  for (const node of running) await node.stop();
});

test('a column that a newer version adds under the engine is not felt', async () => {
  const db = await testDatabase();
  const node = await EngineOnDatabase.start(db.url, { workers: [new FunctionWorker('step')] });
  running.push(node);
  await node.register(chain('two', 'step', 'step'));
  const round = async (): Promise<void> => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, () => node.engine.start({ name: 'two' }, TESTER)),
    );
    await eventually(async () => {
      const found = await Promise.all(ids.map((id) => node.engine.get(id)));
      return found.every(({ status }) => status === 'COMPLETED');
    });
    await node.engine.search({ limit: 20 });
    await node.engine.taskByReference(ids[0] ?? '', 'step_1');
  };
  await round();
  for (const table of ['workflow', 'task', 'workflow_payload', 'workflow_timer', 'workflow_inbox', 'node']) {
    await db.query(`ALTER TABLE ${table} ADD COLUMN from_the_future text`);
    await round();
  }
  expect(node.lines.filter(({ level }) => level >= 50)).toEqual([]);
});
