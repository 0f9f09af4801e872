import { beforeAll, describe, expect, test } from 'vitest';
import { restApp, type RestApp } from './app.js';
import { chain } from '../../support/engine.js';

const INCOMING = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a trace', () => {
  let it: RestApp;
  beforeAll(async () => {
    it = await restApp();
    await it.call('POST', '/api/metadata/workflow', {
      ...chain('traced', 'traced_step'),
      ownerEmail: 'a@b.c',
    });
  });

  const start = (url: string, body: object, traceparent?: string) =>
    it.server.inject({
      method: 'POST',
      url,
      headers: { host: '127.0.0.1', ...(traceparent === undefined ? {} : { traceparent }) },
      payload: body,
    });
  const poll = async (): Promise<{ traceparent?: string; inputData: object }> =>
    (await it.call('GET', '/api/tasks/poll/traced_step?workerid=w')).json;

  test('that comes in the header goes on in the task, beside its input', async () => {
    expect((await start('/api/workflow', { name: 'traced' }, INCOMING)).statusCode).toBe(200);
    const task = await poll();
    expect(task.traceparent).toBe(INCOMING);
    expect(task.inputData).toEqual({ given: null });
    expect((await start('/api/workflow/traced', {}, INCOMING)).statusCode).toBe(200);
    expect((await poll()).traceparent).toBe(INCOMING);
  });

  test('in the body goes before the header', async () => {
    const other = INCOMING.replace('0af7', 'ffff');
    await start('/api/workflow', { name: 'traced', traceparent: other }, INCOMING);
    expect((await poll()).traceparent).toBe(other);
  });

  test('that is none is ignored in the header and refused in the body', async () => {
    expect((await start('/api/workflow', { name: 'traced' }, 'nonsense')).statusCode).toBe(200);
    expect(await poll()).not.toHaveProperty('traceparent');
    const refused = await start('/api/workflow', { name: 'traced', traceparent: 'nonsense' });
    expect(refused.statusCode).toBe(400);
    expect(refused.json()).toMatchObject({ validationErrors: [{ path: 'traceparent' }] });
  });
});
