import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseWorkflowDef } from '../../../src/engine/decider/parse-definition.js';
import { MemoryDefinitionStore } from '../../../src/engine/memory/memory-definition-store.js';
import { Definitions } from '../../../src/engine/runtime/definitions.js';
import { homeIdOf } from '../../../src/engine/runtime/home-id.js';
import { loadDefinitions, registerWorkerTasks } from '../../../src/engine/runtime/load-definitions.js';
import { FakeClock } from '../../support/clock.js';
import { chain, FunctionWorker, TESTER } from '../../support/engine.js';

describe('the shipped definitions', () => {
  let directory: string;
  let store: MemoryDefinitionStore;
  let clock: FakeClock;
  let definitions: Definitions;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'definitions-'));
    store = new MemoryDefinitionStore();
    clock = new FakeClock();
    definitions = new Definitions(store, clock, parseWorkflowDef);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const write = (file: string, content: unknown) =>
    writeFile(join(directory, file), typeof content === 'string' ? content : JSON.stringify(content));

  test('of this repository can all be used', async () => {
    await loadDefinitions(definitions, fileURLToPath(new URL('../../../workflows', import.meta.url)));
    expect((await definitions.listWorkflows()).map(({ name }) => name)).toContain('scan_upload');
  });

  test('are registered once, and written again only when they change', async () => {
    await write('a.json', chain('a', 'step'));
    await loadDefinitions(definitions, directory);
    const first = await definitions.getWorkflow('a');
    clock.advance(1_000);
    await loadDefinitions(definitions, directory);
    expect((await definitions.getWorkflow('a')).updateTime).toBe(first.updateTime);
    await write('a.json', chain('a', 'step', 'step'));
    await loadDefinitions(definitions, directory);
    const changed = await definitions.getWorkflow('a');
    expect(changed).toMatchObject({ createTime: first.createTime, updateTime: clock.now() });
    expect(changed.tasks).toHaveLength(2);
    expect(store.audit.map(({ action }) => action)).toEqual([
      'workflow_definition.registered',
      'workflow_definition.changed',
    ]);
  });

  test('stop the start with file, place and reason when one is wrong, and then none is registered', async () => {
    await write('a.json', chain('a', 'step'));
    await write('b.json', {
      ...chain('b', 'step'),
      tasks: [{ name: 'x', taskReferenceName: 'x', type: 'NOPE' }],
    });
    await expect(loadDefinitions(definitions, directory)).rejects.toThrow(
      /b\.json: tasks\[0\]\.type: .*NOPE/,
    );
    expect(await definitions.listWorkflows()).toEqual([]);
    await write('b.json', '{"name": ');
    await expect(loadDefinitions(definitions, directory)).rejects.toThrow(/b\.json: is not JSON/);
  });

  test('leave a task definition that exists as it is', async () => {
    class Described extends FunctionWorker {
      override readonly taskDef = { retryCount: 7 };
    }
    await registerWorkerTasks(definitions, [new Described('step'), new FunctionWorker('plain')]);
    expect((await definitions.listTasks()).map(({ name, retryCount }) => [name, retryCount])).toEqual([
      ['step', 7],
    ]);
    const [def] = await definitions.listTasks();
    if (def === undefined) throw new Error('not registered');
    await definitions.registerTasks([{ ...def, retryCount: 1 }], TESTER);
    await registerWorkerTasks(definitions, [new Described('step')]);
    expect((await definitions.getTask('step')).retryCount).toBe(1);
  });

  test('keep their identity in memory while nothing changes', async () => {
    await write('a.json', chain('a', 'step'));
    await loadDefinitions(definitions, directory);
    const before = await definitions.getWorkflow('a');
    await definitions.refresh(true);
    expect(await definitions.getWorkflow('a')).toBe(before);
  });

  test('a home has one lasting name', async () => {
    const [one, two] = await Promise.all([homeIdOf(directory), homeIdOf(directory)]);
    expect(one).toBe(two);
    expect(await homeIdOf(directory)).toBe(one);
  });
});
