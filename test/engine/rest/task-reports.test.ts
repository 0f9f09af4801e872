import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { restApp, type RestApp } from './app.js';

let app: RestApp;
beforeAll(async () => {
  app = await restApp();
  await app.call('POST', '/api/metadata/workflow', {
    name: 'one',
    schemaVersion: 2,
    tasks: [{ name: 'step', taskReferenceName: 'step', type: 'SIMPLE' }],
  });
});

async function claim(
  workerid = 'w1',
): Promise<{ taskId: string; workflowInstanceId: string; pollCount: number }> {
  await app.call('POST', '/api/workflow', { name: 'one' });
  return (await app.call('GET', `/api/tasks/poll/step?workerid=${workerid}`)).json;
}
const report = (taskId: string, body: object) => app.call('POST', `/api/v1/tasks/${taskId}`, body);
const lines = async (taskId: string): Promise<string[]> => {
  const { json, status } = await app.call('GET', `/api/tasks/${taskId}/log`);
  return status === 204 ? [] : json.map(({ log }: { log: string }) => log);
};

describe('a report on /api/v1', () => {
  test('ends the attempt, and is answered the same when it is sent again', async () => {
    const { taskId, workflowInstanceId, pollCount } = await claim();
    const body = { status: 'COMPLETED', outputData: { a: 1 }, lease: pollCount, workerId: 'w1' };
    const first = await report(taskId, body);
    expect(first.status).toBe(200);
    expect(first.json).toEqual({ taskId, workflowInstanceId, taskStatus: 'COMPLETED', lease: 1 });
    expect((await report(taskId, body)).json).toEqual(first.json);
    expect(await lines(taskId)).toEqual([]);
  });

  test('that says otherwise than how the attempt ended is told so, and leaves a line', async () => {
    const { taskId } = await claim('w1');
    await report(taskId, { status: 'COMPLETED', workerId: 'w1' });
    const late = await report(taskId, { status: 'FAILED', workerId: 'w2' });
    expect(late.status).toBe(409);
    expect(late.json).toMatchObject({ code: 'CONFLICT', taskStatus: 'COMPLETED', holder: 'w1', lease: 1 });
    const [line] = await eventually(async () => {
      const found = await lines(taskId);
      return found.length > 0 && found;
    });
    expect(line).toBe('A report of FAILED from w2 came too late and changed nothing: it is COMPLETED.');
  });

  test('of a lease that was handed on says who holds it, and the holder goes on', async () => {
    const { taskId, pollCount } = await claim('w1');
    const back = { status: 'IN_PROGRESS', callbackAfterSeconds: 0, lease: pollCount };
    expect((await report(taskId, back)).json).toMatchObject({ taskStatus: 'SCHEDULED' });
    const { json: again } = await app.call('GET', '/api/tasks/poll/step?workerid=w2');
    expect(again).toMatchObject({ taskId, pollCount: 2 });
    // The first worker's report once more, as after a lost answer: it must not take the task from the second.
    expect((await report(taskId, back)).status).toBe(200);
    const before = (await app.call('GET', `/api/tasks/${taskId}`)).json.updateTime;
    expect((await report(taskId, { extendLease: true, lease: pollCount })).json.holder).toBe('w2');
    expect((await app.call('GET', `/api/tasks/${taskId}`)).json.updateTime).toBe(before);
    expect((await report(taskId, { extendLease: true, lease: 2 })).status).toBe(200);
    const late = await report(taskId, { status: 'COMPLETED', lease: pollCount, workerId: 'w1' });
    expect(late.status).toBe(409);
    expect(late.json).toMatchObject({ taskStatus: 'IN_PROGRESS', holder: 'w2', lease: 2 });
    expect((await report(taskId, { status: 'COMPLETED', lease: 2 })).status).toBe(200);
  });

  test('of nothing known, or with nothing in it, says what is wrong', async () => {
    expect((await report('nobody', { status: 'COMPLETED' })).status).toBe(404);
    const { taskId } = await claim();
    expect(await report(taskId, {})).toMatchObject({ status: 400, json: { errors: [{ path: 'status' }] } });
    expect(await report(taskId, { status: 'COMPLETED', commandId: '' })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'commandId' }] },
    });
    expect(await report(taskId, { status: 'COMPLETED', lease: -1 })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'lease' }] },
    });
    await report(taskId, { status: 'COMPLETED' });
  });
});

describe("a client's command id", () => {
  test('counts for its task only: the same one for every task of a fork ends them all', async () => {
    const refs = Array.from({ length: 20 }, (_, n) => `b${n}`);
    await app.call('POST', '/api/metadata/workflow', {
      name: 'fan',
      tasks: [
        {
          name: 'f',
          taskReferenceName: 'f',
          type: 'FORK_JOIN',
          forkTasks: refs.map((ref) => [{ name: 'branch', taskReferenceName: ref, type: 'SIMPLE' }]),
        },
        { name: 'j', taskReferenceName: 'j', type: 'JOIN', joinOn: refs },
      ],
    });
    const workflowInstanceId = (await app.call('POST', '/api/workflow', { name: 'fan' })).text;
    const { json: tasks } = await app.call('GET', '/api/tasks/poll/batch/branch?count=20&workerid=w1');
    expect(tasks).toHaveLength(20);
    const answers = await Promise.all(
      tasks.map(({ taskId }: { taskId: string }) =>
        report(taskId, { workflowInstanceId, status: 'COMPLETED', commandId: 'done' }),
      ),
    );
    expect(answers.map(({ json }) => json.taskStatus)).toEqual(refs.map(() => 'COMPLETED'));
    expect((await app.call('GET', `/api/workflow/${workflowInstanceId}`)).json.status).toBe('COMPLETED');
  });

  test('is answered alike to all who send it at once, also when they come too late', async () => {
    const { taskId } = await claim('w1');
    const same = (status: string) => [1, 2, 3].map(() => report(taskId, { status, commandId: status }));
    const ended = await Promise.all(same('COMPLETED'));
    expect(ended.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await Promise.all(same('FAILED'))).map(({ status }) => status)).toEqual([409, 409, 409]);
  });

  test("is none of the engine's own: a child ends with its parent whatever its worker called its reports", async () => {
    const subWorkflowParam = { name: 'one' };
    await app.call('POST', '/api/metadata/workflow', {
      name: 'parent',
      tasks: [{ name: 'c', taskReferenceName: 'c', type: 'SUB_WORKFLOW', subWorkflowParam }],
    });
    const parent = (await app.call('POST', '/api/workflow', { name: 'parent' })).text;
    const task = await eventually(async () => {
      const { json, status } = await app.call('GET', '/api/tasks/poll/step?workerid=w1');
      return status === 200 && json;
    });
    for (let id = 1; id <= 30; id++) {
      const { status } = await report(task.taskId, { status: 'IN_PROGRESS', commandId: `inbox:${id}` });
      expect(status).toBe(200);
    }
    await app.call('DELETE', `/api/workflow/${parent}?reason=enough`);
    await eventually(async () => {
      const { json } = await app.call('GET', `/api/workflow/${task.workflowInstanceId}`);
      return json.status === 'TERMINATED';
    });
  });
});

describe('a sign of life', () => {
  test('said in the same words again is another one', async () => {
    const { taskId, pollCount } = await claim('w1');
    const alive = { status: 'IN_PROGRESS', lease: pollCount };
    const seen: number[] = [];
    for (let n = 0; n < 3; n++) {
      expect(await report(taskId, alive)).toMatchObject({ status: 200, json: { taskStatus: 'IN_PROGRESS' } });
      seen.push((await app.call('GET', `/api/tasks/${taskId}`)).json.updateTime);
    }
    expect(new Set(seen).size).toBe(3);
    await report(taskId, { status: 'COMPLETED' });
  });

  test('repeated by its id after the attempt ended, or was handed on, says so', async () => {
    const { taskId, pollCount } = await claim('w1');
    const alive = { status: 'IN_PROGRESS', commandId: 'beat', lease: pollCount };
    expect((await report(taskId, alive)).status).toBe(200);
    expect((await report(taskId, alive)).status).toBe(200);
    await report(taskId, { status: 'IN_PROGRESS', callbackAfterSeconds: 0, lease: pollCount });
    await app.call('GET', '/api/tasks/poll/step?workerid=w2');
    expect(await report(taskId, alive)).toMatchObject({ status: 409, json: { holder: 'w2', lease: 2 } });
    await report(taskId, { status: 'COMPLETED', lease: 2 });
    expect(await report(taskId, alive)).toMatchObject({ status: 409, json: { taskStatus: 'COMPLETED' } });
  });
});

describe("a late report on Conductor's paths", () => {
  test('is answered like others, has no effect, is counted and leaves at most ten lines', async () => {
    const { taskId, workflowInstanceId } = await claim('w1');
    const update = (status: string) =>
      app.call('POST', '/api/tasks', { taskId, workflowInstanceId, status, workerId: 'w9' });
    expect((await update('COMPLETED')).status).toBe(200);
    for (let n = 0; n < 15; n++) {
      expect(await update('FAILED')).toMatchObject({ status: 200, text: taskId });
    }
    expect((await app.call('GET', `/api/workflow/${workflowInstanceId}`)).json.status).toBe('COMPLETED');
    await eventually(async () => (await lines(taskId)).length === 10);
    const extend = { taskId, workflowInstanceId, extendLease: true };
    expect((await app.call('POST', '/api/tasks', extend)).status).toBe(200);
  });
});

describe('update-v2', () => {
  test('answers with the next task of the same type, then with nothing', async () => {
    const first = await claim();
    await app.call('POST', '/api/workflow', { name: 'one' });
    const update = (task: typeof first) =>
      app.call('POST', '/api/tasks/update-v2', {
        taskId: task.taskId,
        workflowInstanceId: task.workflowInstanceId,
        status: 'COMPLETED',
        workerId: 'w1',
      });
    const next = await update(first);
    expect(next).toMatchObject({
      status: 200,
      json: { taskType: 'step', status: 'IN_PROGRESS', workerId: 'w1' },
    });
    expect((await update(next.json)).status).toBe(204);
    expect((await update(next.json)).status).toBe(204);
  });
});

describe('a task for people', () => {
  const asked = async () => {
    app.actAs('erin', 'author', 'operator');
    const tasks = [{ name: 'ask', taskReferenceName: 'ask', type: 'HUMAN' }];
    await app.call('POST', '/api/metadata/workflow?overwrite=true', {
      name: 'asks',
      schemaVersion: 2,
      tasks,
    });
    const { text: workflowInstanceId } = await app.call('POST', '/api/workflow', { name: 'asks' });
    const { json } = await app.call('GET', `/api/workflow/${workflowInstanceId}`);
    return { workflowInstanceId, taskId: json.tasks[0].taskId as string };
  };
  afterEach(() => app.actAs('erin', 'author', 'operator'));

  test.each(['operator', 'worker'] as const)('is handed to nobody who polls for it: %s', async (role) => {
    await asked();
    app.actAs('somebody', role);
    for (const path of ['poll/HUMAN', 'poll/batch/HUMAN?timeout=0']) {
      const { status, json } = await app.call('GET', `/api/tasks/${path}`);
      expect(status).toBe(400);
      expect(json.message).toContain('HUMAN tasks are for people');
    }
  });

  const reports: readonly (readonly [
    string,
    (task: Awaited<ReturnType<typeof asked>>) => [string, object],
  ])[] = [
    ['by its id', (task) => ['/api/tasks', { ...task, status: 'COMPLETED', outputData: { a: 1 } }]],
    ['with the next poll', (task) => ['/api/tasks/update-v2', { ...task, status: 'COMPLETED' }]],
    ['as in progress', (task) => ['/api/tasks', { ...task, status: 'IN_PROGRESS', callbackAfterSeconds: 0 }]],
    ['by its reference', (task) => [`/api/tasks/${task.workflowInstanceId}/ask/COMPLETED`, {}]],
    ['on /api/v1', (task) => [`/api/v1/tasks/${task.taskId}`, { status: 'FAILED' }]],
  ];
  test.each(reports)('is not reported %s by a worker, who is told the remedy', async (_, how) => {
    const task = await asked();
    const [path, body] = how(task);
    app.actAs('wanda', 'worker');
    const { status, text } = await app.call('POST', path, body);
    expect(status).toBe(403);
    expect(text).toContain('with the role operator or admin');
    const { json } = await app.call('GET', `/api/tasks/${task.taskId}`);
    expect(json).toMatchObject({ status: 'IN_PROGRESS', outputData: {}, pollCount: 0 });
  });

  test('is reported by an operator, whose answer a worker cannot repeat', async () => {
    const task = await asked();
    const answer = { ...task, status: 'COMPLETED', outputData: { outcome: 'yes' } };
    const answered = await app.call('POST', '/api/tasks/update-v2', answer);
    expect(answered.status).toBe(204);
    const { json } = await app.call('GET', `/api/workflow/${task.workflowInstanceId}`);
    expect(json).toMatchObject({ status: 'COMPLETED', output: { outcome: 'yes' } });
    app.actAs('wanda', 'worker');
    expect((await app.call('POST', '/api/tasks', answer)).status).toBe(403);
  });
});
