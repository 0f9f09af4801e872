import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Clock } from '../../../src/clock.js';
import { Database } from '../../../src/database/database.js';
import { EngineRuntime } from '../../../src/engine/runtime/engine-runtime.js';
import { eventually } from '../../support/eventually.js';
import { chain } from '../../support/engine.js';
import { restApp, type RestApp } from './app.js';

let rest: RestApp;
beforeAll(async () => {
  rest = await restApp();
  await rest.call('POST', '/api/metadata/workflow', chain('large', 'stow'));
  await rest.call('POST', '/api/metadata/workflow', chain('small', 'stow'));
});
beforeEach(() => rest.actAs('erin', 'author', 'operator'));

const LARGE = 'ä'.repeat(3_000_000);

interface Place {
  readonly uri: string;
  readonly path: string;
}

const ask = (operation: string, payloadType: string, path = '', of = 'workflow') =>
  rest.call(
    'GET',
    `/api/${of}/externalstoragelocation?path=${encodeURIComponent(path)}&operation=${operation}&payloadType=${payloadType}`,
  );
const place = async (...args: Parameters<typeof ask>): Promise<Place> => {
  const answer = await ask(...args);
  expect(answer.status).toBe(200);
  return answer.json as Place;
};

/** As Conductor's Java client does: to the URI, with neither credentials nor a content type. */
async function put(uri: string, value: unknown): Promise<{ status: number; message: string }> {
  const payload = typeof value === 'string' ? value : JSON.stringify(value);
  const { pathname, host } = new URL(uri);
  const answer = await rest.server.inject({ method: 'PUT', url: pathname, headers: { host }, payload });
  const body = answer.body === '' ? {} : (JSON.parse(answer.body) as { message?: string });
  return { status: answer.statusCode, message: body.message ?? '' };
}

const get = (uri: string) => rest.call('GET', new URL(uri).pathname);

const started = async (path: string, more: object = {}) =>
  rest.call('POST', '/api/workflow', { name: 'large', externalInputPayloadStoragePath: path, ...more });

describe('a large input', () => {
  test('is put to the place that was issued for it, and the workflow starts with it', async () => {
    const { uri, path } = await place('WRITE', 'WORKFLOW_INPUT');
    expect(uri).toMatch(/^http:\/\/127\.0\.0\.1\/api\/external\/postgres\/[0-9a-f]{48}$/);
    expect(await put(uri, { given: LARGE })).toEqual({ status: 200, message: '' });
    const answer = await started(path);
    expect(answer.status).toBe(200);
    const { json } = await rest.call('GET', `/api/workflow/${answer.text}`);
    expect(json.input).toEqual({ given: LARGE });
    // A start that is repeated, its answer lost, finds it again.
    expect((await started(path)).status).toBe(200);
  });

  test('that the workflow was given becomes its own and is read where a reader is told', async () => {
    const { uri, path } = await place('WRITE', 'WORKFLOW_INPUT');
    await put(uri, { given: LARGE });
    const { text: id } = await started(path);
    const [row] = await rest.app
      .get(Database)
      .query<{ key: string }>('SELECT key FROM external_payload WHERE workflow_id = $1', [id]);
    const reading = await place('READ', 'WORKFLOW_INPUT', row?.key);
    expect(reading.path).toBe(row?.key);
    rest.actAs('nobody');
    expect((await get(reading.uri)).json).toEqual({ given: LARGE });
    expect((await put(reading.uri, {})).status).toBe(404);
  });

  test('that nobody referred to is swept, and what a workflow took stays', async () => {
    const { payloads } = rest.app.get(EngineRuntime);
    const now = rest.app.get<Clock>(Clock).now();
    const [used, unused] = [await place('WRITE', 'WORKFLOW_INPUT'), await place('WRITE', 'WORKFLOW_INPUT')];
    await put(used.uri, { given: LARGE, n: 1 });
    await put(unused.uri, { given: LARGE, n: 2 });
    const { text: id } = await started(used.path);
    await payloads?.sweep(now + 1e6);
    const rows = await rest.app
      .get(Database)
      .query('SELECT 1 FROM external_payload WHERE workflow_id = ANY ($1)', [[used.path, unused.path]]);
    expect(rows).toEqual([]);
    expect((await rest.call('GET', `/api/workflow/${id}`)).json.input).toEqual({ given: LARGE, n: 1 });
  });
});

describe('a large output', () => {
  test('is put and reported by its path', async () => {
    const { text: id } = await rest.call('POST', '/api/workflow', { name: 'small', input: {} });
    rest.actAs('robot', 'worker');
    const task = await eventually(async () => {
      const { json } = await rest.call('GET', '/api/tasks/poll/batch/stow?workerid=w&count=10');
      return (json as { taskId: string; workflowInstanceId: string }[]).find(
        (one) => one.workflowInstanceId === id,
      );
    });
    const { uri, path } = await place('WRITE', 'TASK_OUTPUT', '', 'tasks');
    expect((await put(uri, { stored: LARGE })).status).toBe(200);
    const reported = await rest.call('POST', '/api/tasks', {
      taskId: task?.taskId,
      workflowInstanceId: id,
      status: 'COMPLETED',
      outputData: {},
      externalOutputPayloadStoragePath: path,
    });
    expect(reported.status).toBe(200);
    const { json } = await rest.call('GET', `/api/workflow/${id}`);
    expect(json).toMatchObject({ status: 'COMPLETED', output: { stored: LARGE } });
  });
});

describe('a place', () => {
  test('takes one value, also when two come at once', async () => {
    const { uri } = await place('WRITE', 'WORKFLOW_INPUT');
    const both = await Promise.all([put(uri, { a: 1 }), put(uri, { a: 2 })]);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 409]));
    expect((await put(uri, { a: 3 })).message).toContain('path: this place was written before');
  });

  test('takes a JSON object, and no more than the limit', async () => {
    const { uri, path } = await place('WRITE', 'WORKFLOW_INPUT');
    expect(await put(uri, 'no json')).toMatchObject({ status: 400, message: expect.stringMatching(/^body/) });
    expect((await put(uri, '[1]')).message).toContain('must be a JSON object');
    expect((await put(uri, '{"a": 12345678901234567890}')).message).toContain('2^53');
    expect((await put(uri, { text: 'x'.repeat(10_240 * 1024) })).status).toBe(413);
    expect((await started(path)).json.message).toContain(
      'externalInputPayloadStoragePath: nothing was written there yet',
    );
    expect((await put(uri, { a: 1 })).status).toBe(200);
  });

  test('is over after an hour', async () => {
    const [late, written] = [await place('WRITE', 'WORKFLOW_INPUT'), await place('WRITE', 'WORKFLOW_INPUT')];
    await put(written.uri, { a: 1 });
    const database = rest.app.get(Database);
    await database.query('UPDATE payload_location SET expires_at = expires_at - 3600000');
    expect((await put(late.uri, { a: 1 })).status).toBe(404);
    expect((await started(written.path)).status).toBe(400);
  });

  test.each([
    ['was never issued', async () => 'f'.repeat(48)],
    ['is no path of ours', async () => '../../etc/passwd'],
    [
      'was issued to somebody else',
      async () => {
        rest.actAs('mallory', 'author', 'operator');
        const { uri, path } = await place('WRITE', 'WORKFLOW_INPUT');
        await put(uri, { a: 1 });
        rest.actAs('erin', 'author', 'operator');
        return path;
      },
    ],
    [
      'was issued for something else',
      async () => {
        const { uri, path } = await place('WRITE', 'TASK_OUTPUT', '', 'tasks');
        await put(uri, { a: 1 });
        return path;
      },
    ],
    [
      'is a value of a workflow',
      async () => {
        const { uri, path } = await place('WRITE', 'WORKFLOW_INPUT');
        await put(uri, { given: LARGE });
        const { text: id } = await started(path);
        const [row] = await rest.app
          .get(Database)
          .query<{ key: string }>('SELECT key FROM external_payload WHERE workflow_id = $1', [id]);
        return row?.key ?? '';
      },
    ],
  ])('that %s starts nothing', async (_, pathOf) => {
    const answer = await started(await pathOf());
    expect(answer.status).toBe(400);
    expect(answer.json.message).toContain('externalInputPayloadStoragePath: was not issued to you');
    expect(answer.json.validationErrors).toMatchObject([{ path: 'externalInputPayloadStoragePath' }]);
  });

  test('stands in place of the value, not beside it', async () => {
    const { uri, path } = await place('WRITE', 'WORKFLOW_INPUT');
    await put(uri, { a: 1 });
    const answer = await started(path, { input: { b: 2 } });
    expect(answer.status).toBe(400);
    expect(answer.json.message).toContain('stands beside the value itself');
  });

  test('is issued for what clients write, to those who may refer to it', async () => {
    expect((await ask('WRITE', 'TASK_INPUT')).json.message).toContain(
      'payloadType: TASK_INPUT is written by',
    );
    expect((await ask('COPY', 'WORKFLOW_INPUT')).json.message).toContain('operation');
    expect((await ask('READ', 'WORKFLOW_INPUT')).json.message).toContain('path: says which payload');
    expect(await ask('READ', 'WORKFLOW_INPUT', 'unknown')).toMatchObject({ status: 404 });
    rest.actAs('wanda', 'worker');
    expect(await ask('WRITE', 'WORKFLOW_INPUT')).toMatchObject({ status: 403 });
    expect((await ask('write', 'TASK_OUTPUT', '', 'tasks')).status).toBe(200);
    for (const of of ['tasks', 'workflow']) {
      const answer = await ask('READ', 'TASK_INPUT', 'unknown', of);
      expect(answer.status).toBe(403);
      expect(answer.json.message).toContain(
        'to READ needs the role author or operator or analyst or auditor',
      );
    }
    rest.actAs('anna', 'analyst');
    expect(await ask('WRITE', 'TASK_OUTPUT', '', 'tasks')).toMatchObject({ status: 403 });
    expect(await ask('READ', 'TASK_INPUT', 'unknown', 'tasks')).toMatchObject({ status: 404 });
  });

  test('of a value that was put is read by the one who put it only', async () => {
    const { uri, path } = await place('WRITE', 'WORKFLOW_INPUT');
    await put(uri, { a: 1 });
    expect((await get((await place('READ', 'WORKFLOW_INPUT', path)).uri)).json).toEqual({ a: 1 });
    expect((await get(uri)).status).toBe(404);
    rest.actAs('mallory', 'author', 'operator');
    expect((await ask('READ', 'WORKFLOW_INPUT', path)).status).toBe(404);
  });

  test('has the name with hyphens too', async () => {
    const query = 'path=&operation=WRITE&payloadType=WORKFLOW_INPUT';
    expect((await rest.call('GET', `/api/workflow/external-storage-location?${query}`)).status).toBe(200);
  });
});
