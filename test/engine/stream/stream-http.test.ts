import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Attendance } from '../../../src/engine/stream/attendance.js';
import { chain } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { streamApp, type StreamApp } from './app.js';

describe('GET /api/v1/stream', () => {
  let it: StreamApp;
  let engineer: string;
  let isClosed = false;

  beforeAll(async () => {
    it = await streamApp();
    engineer = await it.key('engineer', 'author', 'operator');
    const made = await it.call('PUT', '/api/metadata/workflow', engineer, [chain('one', 'hand')]);
    expect(made.status).toBeLessThan(300);
  });
  afterAll(async () => {
    if (!isClosed) await it.close();
  });

  const start = async (): Promise<string> =>
    (await it.call('POST', '/api/workflow/one', engineer, {})).text();
  const nobody = () => eventually(() => it.app.get(Attendance).count === 0);

  test('follows a workflow from its start to what happens next', async () => {
    const workflowId = await start();
    const { response, reader, close } = await it.listen(`?workflowId=${workflowId}`, engineer);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const first = await reader.first(({ event }) => event === 'change', 'the state');
    expect(first.data.tasks).toMatchObject([{ referenceTaskName: 'hand_0', status: 'SCHEDULED' }]);
    await it.call('PUT', `/api/workflow/${workflowId}/pause`, engineer);
    await reader.first(({ data }) => data.status === 'PAUSED', 'the pause');
    close();
    await nobody();
  });

  test('goes on after the Last-Event-ID', async () => {
    const workflowId = await start();
    await it.call('PUT', `/api/workflow/${workflowId}/pause`, engineer);
    const { reader, close } = await it.listen(`?workflowId=${workflowId}`, engineer, {
      'last-event-id': 'r1',
    });
    const { data } = await reader.first(({ event }) => event === 'change', 'the change');
    expect(data).toMatchObject({ since: 1, status: 'PAUSED', tasks: [] });
    close();
  });

  test('tells everything to one who knows more than there is', async () => {
    const workflowId = await start();
    const { reader, close } = await it.listen(`?workflowId=${workflowId}&since=99`, engineer);
    const { data } = await reader.first(({ event }) => event === 'change', 'the state');
    expect(data.since).toBe(-1);
    close();
  });

  test('listens to all by name and status, without tasks', async () => {
    const { reader, close } = await it.listen(
      '?workflowName=one&status=RUNNING,PAUSED&tasks=false',
      engineer,
    );
    await reader.first(({ event }) => event === 'hello', 'the greeting');
    const workflowId = await start();
    const { data, id } = await reader.first(({ data: { workflowId: w } }) => w === workflowId, 'the start');
    expect(data).not.toHaveProperty('tasks');
    expect(id).toMatch(/^[0-9a-f]{8}-\d+$/);
    close();
  });

  test.each([
    ['?workflowId=a&workflowName=b', 'workflowName: not together with workflowId'],
    ['?since=1', 'since: only with workflowId'],
    ['?status=NONE', 'status'],
    ['?tasks=maybe', 'tasks'],
  ])('refuses %s', async (query, message) => {
    const response = await it.call('GET', `/api/v1/stream${query}`, engineer);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { detail: string }).detail).toContain(message);
  });

  test('answers 404 for an unknown workflow and 401 without a key', async () => {
    expect((await it.call('GET', '/api/v1/stream?workflowId=none', engineer)).status).toBe(404);
    expect((await fetch(`${it.url}/api/v1/stream`)).status).toBe(401);
  });

  test('a HEAD takes no place', async () => {
    expect((await it.call('HEAD', '/api/v1/stream', engineer)).status).toBe(200);
    expect(it.app.get(Attendance).count).toBe(0);
  });

  test('a page elsewhere may not listen', async () => {
    const { response } = await it.listen('', engineer, { 'sec-fetch-site': 'cross-site' });
    expect(response.status).toBe(403);
  });

  test('a key for workers follows what it can name, and nothing else', async () => {
    const worker = await it.key('worker', 'worker');
    const workflowId = await start();
    for (const path of ['/api/v1/stream', '/api/v1/executions', '/api/workflow/search', '/api/v1/retention'])
      expect((await it.call('GET', path, worker)).status).toBe(403);
    expect((await it.call('GET', `/api/workflow/${workflowId}`, worker)).status).toBe(200);
    const { reader, close } = await it.listen(`?workflowId=${workflowId}`, worker);
    await reader.first(({ event }) => event === 'change', 'the state');
    close();
  });

  test('says every 15 s that it lives, and ends when the key is taken away', async () => {
    const key = await it.key('doomed', 'auditor');
    const { reader } = await it.listen('', key);
    await reader.first(({ event }) => event === 'hello', 'the greeting');
    it.clock.advance(15_000);
    await reader.first(({ event }) => event === 'beat', 'the heartbeat');
    await it.database.query(`UPDATE api_key SET disabled = true WHERE id = 'doomed'`);
    await eventually(() => {
      it.clock.advance(15_000);
      return reader.hasEnded;
    });
    expect(reader.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'session' } });
  });

  test('lets one key have 25 streams, and says when to come back', async () => {
    await nobody();
    const open = [];
    for (let n = 0; n < 25; n++) open.push(await it.listen('', engineer));
    const { response } = await it.listen('', engineer);
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('5');
    for (const one of open) one.close();
    await nobody();
  });

  test('ends with the service, and says when to come back', async () => {
    const { reader } = await it.listen('', engineer);
    await reader.first(({ event }) => event === 'hello', 'the greeting');
    isClosed = true;
    await it.close();
    expect(reader.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'shutdown' } });
  });
});
