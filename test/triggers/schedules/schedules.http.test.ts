import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { Scheduler } from '../../../src/triggers/schedules/scheduler.js';
import { headOf } from '../../intake/http-app.js';
import { triggersApp } from '../triggers-app.js';
import { drain } from './schedule-parts.js';

const app = await triggersApp({
  head: () => Promise.resolve(headOf()),
  peek: () => Promise.resolve(Buffer.alloc(0)),
  readTags: () => Promise.resolve({}),
});
const { call, audited, clock, database, engine, jobs } = app;
const SCHEDULES = '/api/v1/schedules';
const nightly = {
  name: 'nightly',
  kind: 'workflow',
  payload: { name: 'clean_up', input: { days: 3 } },
  cron: '30 2 * * *',
  timeZone: 'Europe/Berlin',
};
const events = async () => (await audited()).filter(({ action }) => action.startsWith('schedule.'));
const settle = () =>
  drain(database, [new Scheduler({ database, clock, jobs, log: pino({ level: 'silent' }) })], () =>
    clock.now(),
  );

beforeEach(async () => {
  engine.started.clear();
  await app.reset('clean_up');
});

describe('a schedule over REST', () => {
  it('is made, shown with its next ten times, changed, paused, resumed and removed, each audited', async () => {
    const made = await call('POST', SCHEDULES, nightly);
    expect(made).toMatchObject({
      status: 201,
      body: {
        ...nightly,
        enabled: true,
        catchUp: 'last',
        kindIsKnown: true,
        version: 1,
        createdBy: 'user:alice',
      },
    });
    expect(made.body['nextFireTimes']).toHaveLength(10);
    expect((made.body['nextFireTimes'] as string[])[0]).toBe('2026-11-24T01:30:00.000Z');
    const { name, ...rest } = nightly;
    const changed = await call('PUT', `${SCHEDULES}/${name}`, { ...rest, cron: '0 3 * * *', version: 1 });
    expect(changed.body).toMatchObject({ version: 2, nextFireAt: '2026-11-24T02:00:00.000Z' });
    expect((await call('PUT', `${SCHEDULES}/${name}`, { ...rest, version: 1 })).status).toBe(409);
    expect((await call('POST', `${SCHEDULES}/${name}/pause`)).body).toMatchObject({
      enabled: false,
      nextFireAt: null,
      nextFireTimes: [],
    });
    expect((await call('POST', `${SCHEDULES}/${name}/resume`)).body).toMatchObject({
      enabled: true,
      version: 4,
    });
    expect((await call('GET', SCHEDULES)).body).toMatchObject({ items: [{ name: 'nightly' }] });
    expect((await call('DELETE', `${SCHEDULES}/${name}`)).status).toBe(204);
    expect((await call('GET', `${SCHEDULES}/${name}`)).status).toBe(404);
    expect((await events()).map(({ action, actor, subject }) => [action, actor, subject])).toEqual(
      ['created', 'changed', 'paused', 'resumed', 'deleted'].map((verb) => [
        `schedule.${verb}`,
        'user:alice',
        'schedule:nightly',
      ]),
    );
  });

  it('starts its workflow once for each due instant, with an id that follows from the instant', async () => {
    await call('POST', SCHEDULES, nightly);
    clock.advance(24 * 3_600_000);
    await settle();
    const [request] = [...engine.started.values()];
    expect(engine.started.size).toBe(1);
    expect(request).toMatchObject({
      name: 'clean_up',
      input: { days: 3, schedule: { name: 'nightly', dueAt: '2026-11-24T01:30:00.000Z' } },
      createdBy: 'system:schedules',
    });
    expect(request?.idempotencyKey).toBe(request?.workflowId);
    const { body } = await call('GET', `${SCHEDULES}/nightly/firings`);
    expect(body).toMatchObject({
      items: [{ state: 'done', dueAt: '2026-11-24T01:30:00.000Z', requestedBy: null }],
    });
  });

  it('is run when somebody asks', async () => {
    await call('POST', SCHEDULES, { ...nightly, enabled: false });
    const { status, body } = await call('POST', `${SCHEDULES}/nightly/run`);
    expect(status).toBe(202);
    await settle();
    expect(engine.started.size).toBe(1);
    expect((await call('GET', `${SCHEDULES}/nightly/firings`)).body).toMatchObject({
      items: [{ dueAt: body['dueAt'], requestedBy: 'user:alice' }],
    });
  });

  it.each([
    [{ ...nightly, cron: '61 * * * *' }, 'cron: cannot be read'],
    [{ ...nightly, cron: '0 0 30 2 *' }, 'cron: is never due'],
    [{ ...nightly, timeZone: 'Mars/Olympus' }, 'timeZone: is no IANA time zone'],
    [{ ...nightly, kind: 'dance' }, 'kind: is not known; choose one of: workflow'],
    [{ ...nightly, payload: {} }, 'payload.name'],
    [{ ...nightly, payload: { name: 'nobody' } }, 'payload.name: No such workflow'],
    [{ ...nightly, catchUp: 'some' }, 'catchUp'],
    [{ ...nightly, name: 'a/b' }, 'name: must begin'],
    [{ ...nightly, catchUpWithinSeconds: 5 }, 'catchUpWithinSeconds'],
  ])('%j is refused, naming the field', async (body, message) => {
    const answer = await call('POST', SCHEDULES, body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(message);
  });

  it('shows when a cron would be due', async () => {
    const { body } = await call('GET', `${SCHEDULES}/times?cron=${encodeURIComponent('0 12 1 * *')}&count=2`);
    expect(body).toEqual({ times: ['2026-12-01T12:00:00.000Z', '2027-01-01T12:00:00.000Z'] });
    expect((await call('GET', `${SCHEDULES}/times?cron=x`)).status).toBe(400);
  });

  it('is listed page by page', async () => {
    for (const name of ['a', 'b', 'c']) await call('POST', SCHEDULES, { ...nightly, name });
    const first = await call('GET', `${SCHEDULES}?limit=2`);
    expect(first.body).toMatchObject({ items: [{ name: 'a' }, { name: 'b' }] });
    const next = await call('GET', `${SCHEDULES}?limit=2&cursor=${first.body['nextCursor'] as string}`);
    expect(next.body).toMatchObject({ items: [{ name: 'c' }] });
    expect(next.body).not.toHaveProperty('nextCursor');
    expect((await call('GET', `${SCHEDULES}?cursor=x`)).status).toBe(400);
  });
});
