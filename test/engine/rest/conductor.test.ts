import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chain } from '../../support/engine.js';
import { HealthRegistry } from '../../../src/ops/health.js';
import { restApp, type RestApp } from './app.js';

let rest: RestApp;
const call: RestApp['call'] = (method, path, body) => rest.call(method, path, body);
let names = 0;

beforeAll(async () => {
  rest = await restApp();
});

/** Registers a definition with a task type of its own. */
async function defined(steps = 1): Promise<{ name: string; type: string }> {
  const name = `flow_${++names}`;
  const type = `work_${names}`;
  const def = chain(name, ...Array.from({ length: steps }, () => type));
  expect((await call('POST', '/api/metadata/workflow', def)).status).toBe(200);
  return { name, type };
}

const started = async (name: string, more = {}): Promise<string> =>
  (await call('POST', '/api/workflow', { name, ...more })).text;
const polled = async (type: string) => (await call('GET', `/api/tasks/poll/${type}?workerid=w1`)).json;

describe('a workflow', () => {
  test('is started with its id as plain text', async () => {
    const { name } = await defined();
    const answer = await call('POST', '/api/workflow', { name, version: null, input: { a: 1 }, extra: 1 });
    expect(answer).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8' });
    expect(answer.text).toMatch(/^[0-9a-f-]{36}$/);
    const byName = await call('POST', `/api/workflow/${name}?correlationId=c&priority=3`, { b: 2 });
    expect((await call('GET', `/api/workflow/${byName.text}`)).json).toMatchObject({
      status: 'RUNNING',
      workflowName: name,
      workflowVersion: 1,
      correlationId: 'c',
      priority: 3,
      input: { b: 2 },
      endTime: 0,
      createdBy: 'user:erin',
      workflowDefinition: { name },
    });
  });

  test('is shown with or without its tasks, and nulls are left out', async () => {
    const { name, type } = await defined();
    const id = await started(name, { input: { given: 1 } });
    const { json, text } = await call('GET', `/api/workflow/${id}`);
    expect(json.tasks).toHaveLength(1);
    expect(json.tasks[0]).toMatchObject({
      taskType: type,
      status: 'SCHEDULED',
      seq: 1,
      workflowInstanceId: id,
    });
    expect(text).not.toContain(':null');
    for (const no of ['false', 'False']) {
      expect((await call('GET', `/api/workflow/${id}?includeTasks=${no}`)).json.tasks).toEqual([]);
    }
    expect((await call('GET', `/api/workflow/${id}?includeTasks=maybe`)).status).toBe(400);
    expect((await call('GET', `/api/workflow/${id}/tasks?status=SCHEDULED`)).json).toMatchObject({
      totalHits: 1,
    });
    expect((await call('GET', `/api/workflow/${id}/tasks?status=FAILED`)).json.results).toEqual([]);
    expect((await call('GET', `/api/workflow/${id}/status`)).json).toEqual({
      workflowId: id,
      status: 'RUNNING',
    });
    expect(
      (await call('GET', `/api/workflow/${id}/status?includeOutput=true&includeVariables=true`)).json,
    ).toMatchObject({ output: {}, variables: {} });
  });

  test('is paused, resumed, terminated and retried', async () => {
    const { name } = await defined();
    const id = await started(name);
    expect(await call('PUT', `/api/workflow/${id}/pause`)).toMatchObject({ status: 200, text: '' });
    expect((await call('GET', `/api/workflow/${id}/status`)).json.status).toBe('PAUSED');
    expect((await call('PUT', `/api/workflow/${id}/resume`)).status).toBe(200);
    expect((await call('PUT', `/api/workflow/${id}/resume`)).status).toBe(409);
    expect((await call('DELETE', `/api/workflow/${id}?reason=enough`)).status).toBe(200);
    expect((await call('DELETE', `/api/workflow/${id}`)).status).toBe(200);
    expect((await call('GET', `/api/workflow/${id}`)).json).toMatchObject({
      status: 'TERMINATED',
      reasonForIncompletion: 'enough',
    });
    expect((await call('POST', `/api/workflow/${id}/retry`)).status).toBe(204);
    expect((await call('GET', `/api/workflow/${id}/status`)).json.status).toBe('RUNNING');
  });

  test('is found by the search', async () => {
    const { name } = await defined();
    const [one, two] = [await started(name), await started(name)];
    await call('DELETE', `/api/workflow/${one}`);
    const search = async (query: string, more = '') =>
      (await call('GET', `/api/workflow/search?query=${encodeURIComponent(query)}${more}`)).json;
    expect(await search(`workflowType=${name}`)).toMatchObject({ totalHits: 2 });
    const running = await search(`workflowType = '${name}' AND status IN (RUNNING,PAUSED)`);
    expect(running.results.map((row: { workflowId: string }) => row.workflowId)).toEqual([two]);
    expect(running.results[0].startTime).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect((await search(`workflowType=${name}`, '&start=1&size=1')).results).toHaveLength(1);
    expect((await search(`workflowId=${one}`)).totalHits).toBe(1);
  });

  test('is found by its id only where the rest of the search holds too', async () => {
    const { name } = await defined();
    const id = await started(name, { correlationId: 'mine' });
    const { createTime } = (await call('GET', `/api/workflow/${id}`)).json;
    const hits = async (and: string, more = '') => {
      const query = encodeURIComponent(`workflowId = ${id} AND ${and}`);
      const { json } = await call('GET', `/api/workflow/search?query=${query}${more}`);
      return [json.totalHits, json.results.length];
    };
    expect(await hits('status = FAILED')).toEqual([0, 0]);
    expect(await hits('workflowType = another')).toEqual([0, 0]);
    expect(await hits('correlationId = yours')).toEqual([0, 0]);
    expect(await hits(`startTime > ${createTime}`)).toEqual([0, 0]);
    expect(await hits(`startTime < ${createTime}`)).toEqual([0, 0]);
    const all = `status = RUNNING AND workflowType = ${name} AND correlationId = mine AND startTime > ${createTime - 1} AND startTime < ${createTime + 1}`;
    expect(await hits(all)).toEqual([1, 1]);
    expect(await hits(all, '&start=1')).toEqual([1, 0]);
  });

  test('is not searched for by a field that is said twice', async () => {
    const query = encodeURIComponent('status=RUNNING AND status=FAILED');
    const { status, json } = await call('GET', `/api/workflow/search?query=${query}`);
    expect(status).toBe(400);
    expect(json.message).toContain('status is said more than once');
  });

  test.each([
    ['a list without its end', 'status IN (RUNNING'],
    ['a list without its beginning', 'status IN RUNNING)'],
    ['a list without brackets', 'status IN RUNNING'],
    ['a list where one value stands', 'workflowType = (a)'],
    ['a quote that is not closed', "workflowType = 'a"],
    ['what follows a quoted value', "workflowType='a' OR 1=1"],
    ['what follows a bare value', 'workflowType=a OR 1=1'],
    ['a join in small letters', 'workflowType=a and status=RUNNING'],
    ['a join with nothing behind it', 'status=RUNNING AND '],
    ['a join with nothing before it', 'AND status=RUNNING'],
    ['a condition without a value', 'workflowType='],
    ['an operator that there is not', 'startTime >= 5'],
    ['a field that there is not', 'owner = erin'],
  ])('is not searched for by %s, and what is supported is said', async (_what, query) => {
    const { status, json } = await call('GET', `/api/workflow/search?query=${encodeURIComponent(query)}`);
    expect(status).toBe(400);
    expect(json.validationErrors).toEqual([
      {
        path: 'query',
        message: expect.stringMatching(/ is not understood; there are status, workflowType, .*joined by AND/),
      },
    ]);
  });

  test('is found by a value that needs its quotes', async () => {
    const { name } = await defined();
    const odd = `it's (one) AND two, three`;
    const id = await started(name, { correlationId: odd });
    const hits = async (query: string) => {
      const { json } = await call('GET', `/api/workflow/search?query=${encodeURIComponent(query)}`);
      return json.results.map((row: { workflowId: string }) => row.workflowId) as string[];
    };
    expect(await hits(`correlationId="${odd}" AND status IN ( 'RUNNING' , "PAUSED" )`)).toEqual([id]);
    expect(await hits(` workflowType='${name}'  AND  correlationId = "${odd}" `)).toEqual([id]);
  });

  test('shows its tasks in the states that are asked for, and a state that there is not is refused', async () => {
    const { name } = await defined();
    const tasks = `/api/workflow/${await started(name)}/tasks`;
    expect((await call('GET', `${tasks}?status=FAILED&status=SCHEDULED`)).json.totalHits).toBe(1);
    for (const query of ['status=NOPE', 'status=SCHEDULED&status=NOPE', 'status=']) {
      expect(await call('GET', `${tasks}?${query}`)).toMatchObject({
        status: 400,
        json: {
          validationErrors: [
            { path: 'status', message: expect.stringMatching(/^must be one of SCHEDULED, .*, CANCELED$/) },
          ],
        },
      });
    }
  });

  test('is started once per key, and a second start is told so or refused, as it asks', async () => {
    const { name } = await defined();
    const body = { name, idempotencyKey: 'k' };
    const first = await call('POST', '/api/workflow', { ...body, idempotencyStrategy: 'FAIL' });
    expect(first.status).toBe(200);
    const again = await call('POST', '/api/workflow', { ...body, idempotencyStrategy: 'RETURN_EXISTING' });
    expect(again).toMatchObject({ status: 200, text: first.text });
    for (const path of ['/api/workflow', `/api/workflow/execute/${name}/1`]) {
      const refused = await call('POST', path, { ...body, idempotencyStrategy: 'FAIL' });
      expect(refused.status).toBe(409);
      expect(refused.json.message).toContain(`Workflow ${first.text} was started`);
    }
    const odd = await call('POST', '/api/workflow', { ...body, idempotencyStrategy: 'FAIL_ON_RUNNING' });
    expect(odd.status).toBe(400);
    expect(odd.json.message).toContain('idempotencyStrategy: is not available; there are RETURN_EXISTING');
  });
});

describe('a task', () => {
  test('is polled and reported, and the workflow ends', async () => {
    const { name, type } = await defined();
    expect((await call('GET', `/api/tasks/poll/${type}`)).status).toBe(204);
    const id = await started(name);
    const task = await polled(type);
    expect(task).toMatchObject({ taskType: type, status: 'IN_PROGRESS', pollCount: 1, workerId: 'w1' });
    const result = {
      workflowInstanceId: id,
      taskId: task.taskId,
      status: 'COMPLETED',
      outputData: { ok: true },
    };
    expect(await call('POST', '/api/tasks', result)).toMatchObject({ status: 200, text: task.taskId });
    expect((await call('GET', `/api/workflow/${id}`)).json).toMatchObject({
      status: 'COMPLETED',
      output: { ok: true },
    });
    // Late: answered as in Conductor.
    expect((await call('POST', '/api/tasks', result)).status).toBe(200);
    expect((await call('GET', `/api/tasks/${task.taskId}`)).json).toMatchObject({ outputData: { ok: true } });
  });

  test('comes in batches, [] when there is none, and as soon as there is one', async () => {
    const { name, type } = await defined();
    expect((await call('GET', `/api/tasks/poll/batch/${type}?count=5&timeout=10`)).json).toEqual([]);
    const poll = call('GET', `/api/tasks/poll/batch/${type}?count=5&timeout=5000&workerid=w`);
    const began = performance.now();
    await started(name);
    const tasks = (await poll).json;
    expect(tasks).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test('is answered with the next one by update-v2', async () => {
    const { name, type } = await defined(2);
    const id = await started(name);
    const first = await polled(type);
    const report = (taskId: string) =>
      call('POST', '/api/tasks/update-v2', {
        workflowInstanceId: id,
        taskId,
        status: 'COMPLETED',
        workerId: 'w',
      });
    const next = await report(first.taskId);
    expect(next).toMatchObject({ status: 200, json: { taskType: type, seq: 2, workerId: 'w' } });
    expect((await report(next.json.taskId)).status).toBe(204);
  });

  test('is updated by its reference name', async () => {
    const { name } = await defined();
    const id = await started(name);
    const answer = await call('POST', `/api/tasks/${id}/work_${names}_0/COMPLETED?workerid=me`, { x: 1 });
    expect(answer.status).toBe(200);
    expect((await call('GET', `/api/workflow/${id}`)).json).toMatchObject({
      status: 'COMPLETED',
      output: { x: 1 },
    });
    expect((await call('POST', `/api/tasks/${id}/nobody/COMPLETED`, {})).status).toBe(404);
    expect((await call('POST', `/api/tasks/${id}/x/WRONG`, {})).status).toBe(400);
  });

  test('keeps its log', async () => {
    const { name, type } = await defined();
    await started(name);
    const { taskId } = await polled(type);
    expect((await call('GET', `/api/tasks/${taskId}/log`)).status).toBe(204);
    expect((await call('POST', `/api/tasks/${taskId}/log`, 'a line')).status).toBe(200);
    expect((await call('GET', `/api/tasks/${taskId}/log`)).json).toMatchObject([{ log: 'a line', taskId }]);
  });

  test('is counted while it waits, and who polls is known', async () => {
    const { name, type } = await defined();
    await started(name);
    expect((await call('GET', `/api/tasks/queue/sizes?taskType=${type}&taskType=none`)).json).toEqual({
      [type]: 1,
      none: 0,
    });
    expect((await call('GET', '/api/tasks/queue/all')).json).toMatchObject({ [type]: 1 });
    await polled(type);
    await expect
      .poll(async () => (await call('GET', `/api/tasks/queue/polldata?taskType=${type}`)).json, {
        timeout: 5_000,
      })
      .toMatchObject([{ queueName: type, workerId: 'w1' }]);
  });
});

describe('definitions', () => {
  test('of workflows are registered, listed, changed and deleted', async () => {
    const { name } = await defined();
    const def = chain(name, 'other');
    expect((await call('POST', '/api/metadata/workflow', def)).status).toBe(409);
    expect((await call('POST', '/api/metadata/workflow?overwrite=true', def)).status).toBe(200);
    const second = { ...def, version: 2 };
    const bulk = await call('PUT', '/api/metadata/workflow', [second, { name: 'broken' }]);
    expect(bulk.json).toMatchObject({
      bulkSuccessfulResults: [name],
      bulkErrorResults: { broken: expect.stringContaining('tasks') },
    });
    expect((await call('GET', `/api/metadata/workflow/${name}`)).json.version).toBe(2);
    expect((await call('GET', `/api/metadata/workflow/${name}?version=1`)).json.version).toBe(1);
    const all = (await call('GET', '/api/metadata/workflow')).json as { name: string }[];
    expect(all.filter((one) => one.name === name)).toHaveLength(2);
    expect((await call('DELETE', `/api/metadata/workflow/${name}/2`)).status).toBe(200);
    expect((await call('DELETE', `/api/metadata/workflow/${name}/2`)).status).toBe(404);
    expect((await call('POST', '/api/metadata/workflow/validate', def)).status).toBe(200);
  });

  test('that are wrong are refused with the place', async () => {
    const answer = await call('POST', '/api/metadata/workflow', {
      name: 'x',
      tasks: [{ name: 'a', taskReferenceName: 'a', type: 'UNHEARD' }],
    });
    expect(answer).toMatchObject({
      status: 400,
      json: { status: 400, retryable: false, validationErrors: [{ path: 'tasks[0].type' }] },
    });
  });

  test('of tasks are upserted, changed only when known, and deleted', async () => {
    const def = { name: 'td', retryCount: 1, description: null };
    expect((await call('POST', '/api/metadata/taskdefs', [def])).status).toBe(200);
    expect((await call('PUT', '/api/metadata/taskdefs', { ...def, retryCount: 2 })).status).toBe(200);
    expect((await call('GET', '/api/metadata/taskdefs/td')).json).toMatchObject({
      retryCount: 2,
      timeoutSeconds: 0,
    });
    expect((await call('PUT', '/api/metadata/taskdefs', { name: 'nobody' })).status).toBe(404);
    expect((await call('GET', '/api/metadata/taskdefs')).json).toHaveLength(1);
    expect((await call('DELETE', '/api/metadata/taskdefs/td')).status).toBe(200);
    expect((await call('GET', '/api/metadata/taskdefs/td')).status).toBe(404);
  });
});

describe('a worker and task definitions', () => {
  const def = { name: 'brought_along', retryCount: 1, inputTemplate: { a: [1] } };
  const post = (...defs: object[]) => call('POST', '/api/metadata/taskdefs', defs);
  beforeEach(() => rest.actAs('wanda', 'worker'));
  afterEach(async () => {
    rest.actAs('erin', 'author', 'operator');
    for (const name of ['brought_along', 'other']) await call('DELETE', `/api/metadata/taskdefs/${name}`);
  });

  test('it adds what is missing, and may say again what is there', async () => {
    expect((await post(def)).status).toBe(200);
    expect((await post(def, { name: 'other' })).status).toBe(200);
    expect((await call('PUT', '/api/metadata/taskdefs', def)).status).toBe(200);
    expect((await call('GET', '/api/metadata/taskdefs/brought_along')).json).toMatchObject(def);
    expect((await call('GET', '/api/metadata/taskdefs/other')).status).toBe(200);
  });

  test('it changes none, and is told who may', async () => {
    await post(def);
    const changed = { ...def, retryCount: 0 };
    for (const answer of [
      await post({ name: 'other' }, changed),
      await call('PUT', '/api/metadata/taskdefs', changed),
    ]) {
      expect(answer.status).toBe(403);
      expect(answer.json.message).toMatch(/brought_along exists already .* role author or admin/);
    }
    expect((await call('GET', '/api/metadata/taskdefs/brought_along')).json.retryCount).toBe(1);
    expect((await call('GET', '/api/metadata/taskdefs/other')).status).toBe(404);
    rest.actAs('erin', 'author', 'operator');
    expect((await post(changed)).status).toBe(200);
  });

  test('of two who add different ones at once, one is told that the other was first', async () => {
    const answers = await Promise.all([post({ ...def, retryCount: 2 }), post({ ...def, retryCount: 3 })]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 403]);
  });
});

describe('what a client gets wrong', () => {
  const wrong: readonly (readonly [string, 'GET' | 'POST' | 'PUT' | 'DELETE', string, unknown, number])[] = [
    ['an unknown workflow', 'GET', '/api/workflow/nobody', undefined, 404],
    ['an unknown definition', 'POST', '/api/workflow', { name: 'nobody' }, 404],
    ['an unknown task', 'GET', '/api/tasks/nobody', undefined, 404],
    [
      'an unknown workflow of a task',
      'POST',
      '/api/tasks',
      { workflowInstanceId: 'x', taskId: 'y', status: 'COMPLETED' },
      404,
    ],
    ['no name', 'POST', '/api/workflow', {}, 400],
    ['no body', 'POST', '/api/workflow', undefined, 400],
    ['a priority out of range', 'POST', '/api/workflow', { name: 'x', priority: 100 }, 400],
    ['an input that is no object', 'POST', '/api/workflow', { name: 'x', input: [1] }, 400],
    ['an inline definition', 'POST', '/api/workflow', { name: 'x', workflowDef: { name: 'y' } }, 400],
    [
      'a status that does not exist',
      'POST',
      '/api/tasks',
      { workflowInstanceId: 'x', taskId: 'y', status: 'DONE' },
      400,
    ],
    ['no status', 'POST', '/api/tasks', { workflowInstanceId: 'x', taskId: 'y' }, 400],
    ['a long poll that is too long', 'GET', '/api/tasks/poll/batch/x?timeout=5001', undefined, 400],
    ['a count that is no number', 'GET', '/api/tasks/poll/batch/x?count=many', undefined, 400],
    ['a search that is not understood', 'GET', '/api/workflow/search?query=a%20or%20b', undefined, 400],
    ['an unknown status in a search', 'GET', '/api/workflow/search?query=status=ODD', undefined, 400],
    ['a version that is no number', 'GET', '/api/metadata/workflow/x?version=one', undefined, 400],
    ['a version beyond any', 'GET', '/api/metadata/workflow/x?version=2147483648', undefined, 400],
    ['a version beyond any to delete', 'DELETE', '/api/metadata/workflow/x/2147483648', undefined, 400],
    ['a version beyond any to start', 'POST', '/api/workflow', { name: 'x', version: 2147483648 }, 400],
    [
      'a definition with a version beyond any',
      'POST',
      '/api/metadata/workflow',
      {
        name: 'x',
        version: 2147483648,
        tasks: [{ name: 'a', taskReferenceName: 'a', type: 'SIMPLE' }],
      },
      400,
    ],
    ['an id with NUL', 'GET', '/api/workflow/%00', undefined, 400],
    ['a definition that is no object', 'POST', '/api/metadata/workflow', 'text', 400],
    ['a list of executions with a bad cursor', 'GET', '/api/v1/executions?cursor=x', undefined, 400],
    ['a list of executions with a bad status', 'GET', '/api/v1/executions?status=ODD', undefined, 400],
    ['an unknown execution', 'GET', '/api/v1/executions/nobody', undefined, 404],
  ];

  test.each(wrong)('%s is told so', async (_what, method, path, body, status) => {
    const answer = await call(method, path, body);
    expect({ status: answer.status, body: answer.text }).toEqual({
      status,
      body: expect.stringContaining(`${status}`),
    });
    if (path.startsWith('/api/v1')) expect(answer.json.code).toBeTypeOf('string');
    else expect(answer.json).toMatchObject({ status, message: expect.any(String), retryable: false });
  });

  test.each([
    ['POST', '/api/tasks/x/a/GARBAGE', 'status', /IN_PROGRESS.*FAILED/],
    ['POST', '/api/workflow/execute/wh/x', 'version', /^must be a whole number from 0 to 2147483647$/],
    ['DELETE', '/api/metadata/workflow/wh/99999999999', 'version', /^must be a whole number from 1 to /],
    ['DELETE', '/api/metadata/workflow/wh/1.5', 'version', /^must be a whole number from 1 to /],
    ['DELETE', '/api/metadata/taskdefs/%00', 'name', /^must not contain NUL/],
    ['GET', '/api/workflow/%00', 'id', /^must not contain NUL/],
    ['GET', '/api/tasks/poll/batch/x?count=abc', 'count', /^must be a whole number from 1 to 1000$/],
    ['GET', '/api/tasks/poll/batch/x?count=1&count=2', 'count', /^must be a whole number from 1 to 1000$/],
    ['GET', '/api/tasks/poll/batch/x?count=1.5', 'count', /^must be a whole number from 1 to 1000$/],
    ['GET', '/api/tasks/poll/batch/x?timeout=abc', 'timeout', /^must be a whole number from 0 to 5000$/],
    ['GET', '/api/tasks/poll/batch/x?timeout=5001', 'timeout', /^Long poll timeout must be at most 5000 ms$/],
    ['GET', '/api/workflow/x/tasks?start=-1', 'start', /^must be a whole number, at least 0$/],
    [
      'GET',
      '/api/workflow/search?size=99999999999999999999',
      'size',
      /^must be a whole number from 1 to 5000$/,
    ],
    ['GET', '/api/metadata/workflow/x?version=one', 'version', /^must be a whole number from 1 to /],
    [
      'POST',
      '/api/workflow/execute/wh/1?waitForSeconds=61',
      'waitForSeconds',
      /^must be at most 60; start it and look at it later instead$/,
    ],
    ['GET', '/api/tasks/queue/sizes?taskType=%00', 'taskType', /^must be .* without NUL/],
  ] as const)('the parameter is named: %s %s', async (method, path, name, message) => {
    const { status, json } = await call(method, path);
    expect(status).toBe(400);
    expect(json.validationErrors).toEqual([{ path: name, message: expect.stringMatching(message) }]);
    expect(json.message).toBe(`${name}: ${json.validationErrors[0].message}`);
  });

  test('a moment that is none is told what a moment is', async () => {
    for (const from of ['yesterday', '2026-01-01', '-5', '1.5']) {
      const { status, json } = await call('GET', `/api/v1/executions?from=${from}`);
      expect(status).toBe(400);
      expect(json.errors).toEqual([
        {
          path: 'from',
          message: 'must be milliseconds since the epoch, or an ISO date and time with its zone',
        },
      ]);
    }
  });

  test.each([
    ['POST', '/api/workflow', []],
    ['POST', '/api/metadata/taskdefs', {}],
    ['POST', '/api/metadata/workflow', null],
    ['POST', '/api/metadata/workflow/validate', null],
    ['POST', '/api/metadata/workflow/validate', undefined],
    ['POST', '/api/metadata/workflow/validate', [1]],
  ] as const)('a body that is wrong as a whole is named so: %s %s %j', async (method, path, body) => {
    const { status, json } = await call(method, path, body);
    expect(status).toBe(400);
    expect(json.validationErrors).toMatchObject([{ path: 'body' }]);
  });

  test('malformed JSON is a 400', async () => {
    const answer = await rest.server.inject({
      method: 'POST',
      url: '/api/workflow',
      headers: { host: '127.0.0.1', 'content-type': 'application/json' },
      payload: '{"name":',
    });
    expect(answer.statusCode).toBe(400);
  });

  test('an input that is too large is refused with the limit', async () => {
    const { name } = await defined();
    const answer = await call('POST', '/api/workflow', {
      name,
      input: { text: 'x'.repeat(10_240 * 1024) },
    });
    expect(answer).toMatchObject({ status: 413, json: { message: expect.stringContaining('10240 KB') } });
  });

  test('an output that is too large fails its task for good, with the limit', async () => {
    const { name, type } = await defined();
    const id = await started(name);
    const task = await polled(type);
    const answer = await call('POST', '/api/tasks', {
      workflowInstanceId: id,
      taskId: task.taskId,
      status: 'COMPLETED',
      outputData: { text: 'x'.repeat(10_240 * 1024) },
    });
    expect(answer.status).toBe(200);
    const { json } = await call('GET', `/api/workflow/${id}`);
    expect(json).toMatchObject({ status: 'FAILED' });
    expect(json.tasks).toMatchObject([
      {
        status: 'FAILED_WITH_TERMINAL_ERROR',
        outputData: {},
        reasonForIncompletion: expect.stringContaining('larger than 10240 KB'),
      },
    ]);
  });
});

test('the description of the API says which role a call needs', async () => {
  const { json } = await call('GET', '/openapi.json');
  const rolesOf = (path: string, method: string) => json.paths[path][method]['x-roles'] as unknown;
  expect(rolesOf('/api/workflow/search', 'get')).toEqual(['author', 'operator', 'analyst', 'auditor']);
  expect(rolesOf('/api/v1/executions/{id}', 'get')).toEqual(['author', 'operator', 'analyst', 'auditor']);
  expect(rolesOf('/api/v1/retention', 'put')).toEqual(['admin']);
  expect(rolesOf('/api/workflow/{id}', 'get')).toEqual([
    'author',
    'operator',
    'analyst',
    'auditor',
    'worker',
  ]);
  expect(rolesOf('/api/metadata/workflow', 'get')).toBeUndefined();
});

test('the engine tells how it is', async () => {
  const results = await rest.app.get(HealthRegistry).results();
  expect(results.map(({ name, healthy }) => [name, healthy])).toEqual([
    ['engine', true],
    ['roles', true],
    ['clock', true],
  ]);
});

describe('the pages', () => {
  test('list executions in pages and show one with the reasons why it does not move', async () => {
    const { name, type } = await defined();
    const ids = [await started(name), await started(name), await started(name)];
    const first = (await call('GET', `/api/v1/executions?name=${name}&limit=2`)).json;
    expect(first.items).toHaveLength(2);
    const rest2 = (await call('GET', `/api/v1/executions?name=${name}&limit=2&cursor=${first.nextCursor}`))
      .json;
    const seen = [...first.items, ...rest2.items].map((row: { workflowId: string }) => row.workflowId);
    expect(new Set(seen)).toEqual(new Set(ids));
    expect(rest2.nextCursor).toBeUndefined();
    const one = (await call('GET', `/api/v1/executions/${ids[0]}`)).json;
    expect(one).toMatchObject({
      workflowId: ids[0],
      tasks: [{ taskType: type }],
      workflowDefinition: { name },
      why: [{ kind: 'no_worker', taskType: type, reference: `${type}_0` }],
    });
  });
});
