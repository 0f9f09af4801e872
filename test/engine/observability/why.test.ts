import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { PostgresDefinitionStore } from '../../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import { explain } from '../../../src/engine/runtime/why.js';
import type { ScriptResult } from '../../../src/engine/model/command.js';
import { ScriptRunner } from '../../../src/engine/scripts/script-runner.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
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

/** Evaluates nothing, ever. */
class SlowScripts extends ScriptRunner {
  readonly asked: string[] = [];
  evaluate({ member }: { readonly member: string }): Promise<ScriptResult> {
    this.asked.push(member);
    return new Promise(() => undefined);
  }
  async close(): Promise<void> {}
}

const step = (type: string, ref: string, more: object = {}) => ({
  name: ref,
  taskReferenceName: ref,
  type,
  inputParameters: {},
  ...more,
});
const of = (name: string, ...tasks: object[]) => ({ name, version: 1, schemaVersion: 2, tasks });

describe('why a workflow does not move:', () => {
  let stored: TestDatabase;
  let database: Database;
  let store: PostgresExecutionStore;
  let it: TestEngine;
  let letGo: () => void = () => undefined;
  const scripts = new SlowScripts();

  beforeAll(async () => {
    stored = await testDatabase();
    await stored.truncate();
    database = new Database(stored.url);
    store = new PostgresExecutionStore(database);
    const held = new Promise<void>((resolve) => (letGo = resolve));
    it = await startEngine(
      { executions: store, definitions: new PostgresDefinitionStore(database) },
      {
        scripts,
        workers: [
          new FunctionWorker('quick'),
          new FunctionWorker('slow', async () => {
            await held;
            return { kind: 'completed', output: {} };
          }),
          new FunctionWorker('shaky', () => ({ kind: 'failed', reason: 'not yet', terminal: false })),
          new FunctionWorker('later', () => ({ kind: 'inProgress', callbackAfterSeconds: 120 })),
        ],
      },
    );
  });
  afterAll(async () => {
    letGo();
    await stopEngine(it);
    await store.close();
    await database.close();
  });

  async function started(def: { name: string }, priority = 0): Promise<string> {
    await register(it, def);
    return await it.engine.start({ name: def.name, priority }, TESTER);
  }

  /** The reasons, once the first is of this kind. */
  const reasons = (id: string, kind: string) =>
    eventually(async () => {
      const { why } = await it.engine.explain(id);
      return why[0]?.kind === kind && why;
    });

  test('it has ended', async () => {
    const id = await started(chain('ended', 'quick'));
    const [reason] = await reasons(id, 'ended');
    expect(reason).toMatchObject({ kind: 'ended', status: 'COMPLETED' });
    expect(reason?.sentence).toMatch(/^It ended COMPLETED at 2026-11-23T/);
  });

  test('no worker has ever asked, or none since a while', async () => {
    const id = await started(chain('lonely', 'lonely'));
    const since = it.clock.now();
    const [never] = await reasons(id, 'no_worker');
    expect(never).toMatchObject({ taskType: 'lonely', reference: 'lonely_0', everAsked: false, since });
    expect(never?.sentence).toContain('none has ever asked for lonely');
    await store.recordPolls([
      { queueName: 'lonely', workerId: 'w', domain: '', lastPollTime: since - 61_000 },
    ]);
    const [since61] = await reasons(id, 'no_worker');
    expect(since61).toMatchObject({ everAsked: true, since: since - 61_000 });
    expect(since61?.sentence).toContain('none has asked for lonely since 2026');
  });

  test('others come before it', async () => {
    await started(chain('queue', 'busy'), 5);
    await started(chain('queue', 'busy'));
    const id = await started(chain('queue', 'busy'));
    const askedAt = it.clock.now();
    await store.recordPolls([{ queueName: 'busy', workerId: 'w', domain: '', lastPollTime: askedAt }]);
    const [reason] = await reasons(id, 'backlog');
    expect(reason).toMatchObject({ taskType: 'busy', ahead: 1, askedAt });
    expect(reason?.sentence).toContain('1 task of busy before it');
  });

  test('a worker outside has it until its lease ends', async () => {
    const id = await started(chain('outside', 'far'));
    await it.engine.poll({ taskType: 'far', workerId: 'far-1', count: 1, timeoutMs: 0 });
    const [reason] = await reasons(id, 'lease');
    expect(reason).toMatchObject({ holder: 'far-1', until: it.clock.now() + 3_600_000 });
    expect(reason).not.toHaveProperty('node');
    expect(reason?.sentence).toContain('far_0 is with worker far-1 since');
  });

  test('it runs in a process, which is named', async () => {
    const id = await started(chain('inside', 'slow'));
    const [reason] = await reasons(id, 'lease');
    expect(reason).toMatchObject({ reference: 'slow_0', node: { host: 'test', pid: 1 } });
    expect(reason?.sentence).toContain('slow_0 runs in process 1 on test');
  });

  test('it is paused', async () => {
    const id = await started(chain('halted', 'lonely'));
    await it.engine.pause(id, TESTER);
    const [reason, other] = await reasons(id, 'paused');
    expect(reason?.sentence).toContain('until somebody resumes it');
    expect(other?.kind).toBe('no_worker');
  });

  test('time has to pass, and for what', async () => {
    const wait = await started(
      of('sleeps', step('WAIT', 'nap', { inputParameters: { duration: '90 seconds' } })),
    );
    expect(await reasons(wait, 'timer')).toMatchObject([{ cause: 'wait', at: it.clock.now() + 90_000 }]);
    const delay = await started(of('delayed', step('SIMPLE', 'quick', { startDelay: 60 })));
    expect(await reasons(delay, 'timer')).toMatchObject([{ cause: 'delay', at: it.clock.now() + 60_000 }]);
    const retry = await started(of('again', step('SIMPLE', 'shaky', { retryCount: 3 })));
    expect(await reasons(retry, 'timer')).toMatchObject([{ cause: 'retry' }]);
    const callback = await started(chain('callback', 'later'));
    const [asked] = await reasons(callback, 'timer');
    expect(asked).toMatchObject({ cause: 'callback', at: it.clock.now() + 120_000 });
    expect(asked?.sentence).toContain('as its worker asked');
  });

  test('a person has to decide', async () => {
    const id = await started(of('reviewed', step('HUMAN', 'review')));
    await it.engine.poll({ taskType: 'HUMAN', workerId: 'reviews', count: 1, timeoutMs: 0 });
    const [task] = (await it.engine.get(id)).tasks;
    await it.engine.updateTask(
      { workflowInstanceId: id, taskId: task!.taskId, status: 'IN_PROGRESS' },
      TESTER,
    );
    const [reason] = await reasons(id, 'person');
    expect(reason).toMatchObject({ reference: 'review', since: task?.scheduledTime });
    expect(reason?.sentence).toContain('waits for a person to decide');
  });

  test('somebody has to complete it', async () => {
    const id = await started(of('signalled', step('WAIT', 'signal')));
    expect(await reasons(id, 'update')).toMatchObject([{ reference: 'signal', since: it.clock.now() }]);
  });

  test('a child is not done, or has yet to start', async () => {
    await register(it, chain('child', 'lonely'));
    const id = await started(
      of('parent', step('SUB_WORKFLOW', 'nested', { subWorkflowParam: { name: 'child' } })),
    );
    const [reason] = await eventually(async () => {
      const { why } = await it.engine.explain(id);
      return why[0]?.kind === 'child' && why[0].childStatus === 'RUNNING' && why;
    });
    const childWorkflowId = (await it.engine.get(id)).tasks[0]?.subWorkflowId;
    expect(reason).toMatchObject({ reference: 'nested', childWorkflowId });
    expect(reason?.sentence).toContain(`waits for workflow ${childWorkflowId}, which is RUNNING`);
    expect(await reasons(childWorkflowId ?? '', 'no_worker')).toHaveLength(1);

    await stored.query('DELETE FROM workflow WHERE id = $1', [childWorkflowId]);
    const [pending] = await reasons(id, 'child');
    expect(pending).toMatchObject({ childStatus: undefined });
    expect(pending?.sentence).toContain('which has yet to start');
  });

  test('a script is not evaluated', async () => {
    const loop = step('DO_WHILE', 'loop', {
      loopCondition: '$.loop.iteration < 3',
      loopOver: [step('SIMPLE', 'quick')],
    });
    const id = await started(of('scripted', loop));
    const [reason] = await reasons(id, 'script');
    expect(reason).toMatchObject({ reference: 'loop' });
    expect(reason?.sentence).toContain('loop waits for its script to be evaluated');
    expect(scripts.asked).toContain(id);
  });

  test('a loop and a join name the steps that they wait for, not themselves', async () => {
    const loop = step('DO_WHILE', 'around', { loopCondition: 'false', loopOver: [step('SIMPLE', 'lonely')] });
    const [first, ...more] = await reasons(await started(of('looping', loop)), 'no_worker');
    expect([first?.kind, more]).toEqual(['no_worker', []]);
    const fork = step('FORK_JOIN', 'fork', {
      forkTasks: [[step('SIMPLE', 'lonely')], [step('WAIT', 'signal')]],
    });
    const forked = await started(of('forked', fork, step('JOIN', 'join', { joinOn: ['lonely', 'signal'] })));
    expect((await reasons(forked, 'no_worker')).map(({ kind }) => kind)).toEqual(['no_worker', 'update']);
  });

  test('no fault is found: when it is looked at next, or should have been', async () => {
    const id = await started(chain('stuck', 'lonely'));
    await stored.query(`UPDATE task SET status = 'COMPLETED', queued = false WHERE workflow_id = $1`, [id]);
    const execution = async () => (await store.load(id))!;
    const now = it.clock.now();
    const ask = async (at: number) => (await explain(await execution(), new Map(), store, at)).reasons;
    expect(await ask(now)).toEqual([
      {
        kind: 'unknown',
        nextCheckAt: undefined,
        sentence: 'No fault was found, and nothing is known that it waits for.',
      },
    ]);
    const dueAt = now + 7_200_000;
    await stored.query('INSERT INTO workflow_timer (workflow_id, due_at) VALUES ($1, $2)', [id, dueAt]);
    expect((await ask(now))[0]?.sentence).toContain('looked at again at');
    expect((await ask(dueAt + 60_000))[0]).toMatchObject({
      nextCheckAt: dueAt,
      sentence: expect.stringContaining('check that a node with the role engine runs') as string,
    });
  });

  test('of a wide fork 50 steps are told, and how many are not', async () => {
    const branches = Array.from({ length: 60 }, (_, index) => [
      step('SIMPLE', `lonely${index}`, { name: 'lonely' }),
    ]);
    const id = await started(
      of('wide', step('FORK_JOIN', 'fork', { forkTasks: branches }), step('JOIN', 'join')),
    );
    const { why, leftOut } = await it.engine.explain(id);
    expect(why).toHaveLength(50);
    expect(leftOut).toBe(10);
  });
});
