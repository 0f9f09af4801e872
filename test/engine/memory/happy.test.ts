import { expect, test } from 'vitest';
import { MemoryDefinitionStore } from '../../../src/engine/memory/memory-definition-store.js';
import { MemoryExecutionStore } from '../../../src/engine/memory/memory-execution-store.js';
import { chain, FunctionWorker, register, startEngine, stopEngine, TESTER } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';

test('a workflow of three steps runs through in-process workers', async () => {
  const worker = new FunctionWorker('step', (task) => ({ kind: 'completed', output: { seq: task.seq } }));
  const it = await startEngine(
    { executions: new MemoryExecutionStore(), definitions: new MemoryDefinitionStore() },
    { workers: [worker] },
  );
  await register(it, chain('three', 'step', 'step', 'step'));
  const id = await it.engine.start({ name: 'three', input: { given: 7 } }, TESTER);
  await eventually(async () => expect((await it.engine.get(id)).status).toBe('COMPLETED'));
  expect(worker.runs.map((task) => task.inputData)).toEqual([{ given: 7 }, { given: 7 }, { given: 7 }]);
  await stopEngine(it);
});
