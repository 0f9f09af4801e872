import { afterAll, describe, expect, test } from 'vitest';
import { rowOf, type Transition } from '../../../src/engine/runtime/transition.js';
import type { CommitFacts, CommitObserver } from '../../../src/engine/runtime/commit-observer.js';
import type { ClaimedTask } from '../../../src/engine/execution-store.js';
import {
  chain,
  FunctionWorker,
  register,
  startEngine,
  stopEngine,
  TESTER,
  type TestEngine,
} from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { memoryStores, postgresStores } from './stores.js';

class Watcher implements CommitObserver {
  readonly changes: {
    from: string | undefined;
    to: string;
    revision: number;
    tasks: readonly string[];
  }[] = [];
  readonly facts: CommitFacts[] = [];
  readonly claims: string[] = [];

  committed(batch: readonly Transition[], facts: CommitFacts): void {
    this.facts.push(facts);
    for (const { before, next, write } of batch) {
      const { status, revision } = next.state.workflow;
      const tasks = (write?.tasks ?? []).map(
        ({ task }) => `${rowOf(before?.tasks ?? [], task)?.status ?? 'new'} to ${task.status}`,
      );
      this.changes.push({ from: before?.workflow.status, to: status, revision, tasks });
    }
  }

  claimed(tasks: readonly ClaimedTask[]): void {
    this.claims.push(...tasks.map(({ task }) => task.taskType));
  }
}

const open: TestEngine[] = [];
afterAll(async () => {
  for (const engine of open) await stopEngine(engine);
});

describe('an observer of commits', () => {
  const postgres = postgresStores();

  test('hears what each transition changed, and which tasks were handed out past it', async () => {
    const watcher = new Watcher();
    const stores = await (await postgres()).open();
    const it = await startEngine(stores, { observers: [watcher] });
    open.push(it);
    await register(it, chain('one', 'step'));
    const id = await it.engine.start({ name: 'one' }, TESTER);
    const [claimed] = await it.engine.poll({ taskType: 'step', workerId: 'w', count: 1, timeoutMs: 0 });
    expect(watcher.claims).toEqual(['step']);
    await it.engine.updateTask(
      { workflowInstanceId: id, taskId: claimed!.task.taskId, status: 'COMPLETED' },
      TESTER,
    );
    expect(watcher.changes).toEqual([
      { from: undefined, to: 'RUNNING', revision: 1, tasks: ['new to SCHEDULED'] },
      { from: 'RUNNING', to: 'COMPLETED', revision: 3, tasks: ['IN_PROGRESS to COMPLETED'] },
    ]);
    for (const { entries, decideMs, commitMs, statements } of watcher.facts) {
      expect(entries).toBe(1);
      expect(decideMs).toBeGreaterThan(0);
      expect(commitMs).toBeGreaterThan(0);
      expect(statements).toBeGreaterThan(2);
    }
  });

  test('that throws changes nothing, and the others still hear', async () => {
    const watcher = new Watcher();
    const broken: CommitObserver = {
      committed() {
        throw new Error('broken');
      },
    };
    const it = await startEngine(await (await memoryStores()).open(), {
      observers: [broken, watcher],
      workers: [new FunctionWorker('step')],
    });
    open.push(it);
    await register(it, chain('one', 'step'));
    const id = await it.engine.start({ name: 'one' }, TESTER);
    await eventually(async () => (await it.engine.get(id)).status === 'COMPLETED');
    expect(watcher.changes.at(-1)?.to).toBe('COMPLETED');
  });
});
