import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/engine/model/json.js';
import type { Review } from '../../src/reviews/review.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { reviewsApp } from './app.js';
import { person, reviewsStage, type ReviewsStage } from './stage.js';

const HOUR = 3_600_000;
const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri'];
const office = (hours = '09:00-17:00') => Object.fromEntries(WEEK.map((day) => [day, [hours]]));
const BERLIN = { timeZone: 'Europe/Berlin', hours: office() };

let stage: ReviewsStage;
let app: NestFastifyApplication;
// A Monday, 10:00 in Berlin.
beforeEach(async () => {
  stage = await reviewsStage();
  stage.reviewers.people = [{ personId: 'alice', name: 'Alice', groups: ['secops'] }];
  ({ app } = await reviewsApp(stage, { ROLES: 'api' }));
  for (const name of ['secops', 'leads'])
    await stage.db.query(
      `INSERT INTO access_group (id, name, roles, created_at, created_by) VALUES ($1, $2, '{}', 0, 'test')`,
      [randomUUID(), name],
    );
});
afterEach(async () => {
  await app.close();
  await stage.close();
});

interface Answer {
  readonly detail: string;
  readonly rearmed: number;
  readonly groups: readonly string[];
  readonly version: number;
  readonly items: readonly { readonly name: string }[];
}

async function call(
  method: 'GET' | 'PUT' | 'DELETE',
  path = '',
  payload?: object,
  roles = 'operator',
): Promise<{ status: number; body: Answer }> {
  const response = await app.inject({
    method,
    url: `/api/v1/calendars${path}`,
    headers: { 'x-test-user': 'olga', 'x-test-roles': roles },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: response.statusCode, body: (response.body === '' ? {} : response.json()) as Answer };
}
const put = (spec: object, name = 'office') => call('PUT', `/${name}`, spec);
const due = async ({ id }: Review): Promise<string> =>
  new Date((await stage.reviews.get(id)).dueAt ?? 0).toISOString();
const fireTimes = async ({ id }: Review): Promise<string[]> => {
  const rows = await stage.db.query<{ kind: string; fire_at: string }>(
    `SELECT kind, fire_at FROM review_timer WHERE review_id = $1 AND fired_at IS NULL ORDER BY fire_at, kind`,
    [id],
  );
  return rows.map(({ kind, fire_at }) => `${kind} ${new Date(Number(fire_at)).toISOString().slice(0, 16)}`);
};
const asked = (more: JsonObject = {}): Promise<Review> =>
  stage.open({
    calendar: 'office',
    deadline: '2d',
    reminders: ['4h', '1d'],
    escalation: [{ after: '12h', to: ['group:leads'], loops: 2, every: '2h' }],
    ...more,
  });

describe('a review by a working calendar', () => {
  it('has its deadline, reminders and escalation in working time, where a day is a working day', async () => {
    await put(BERLIN);
    const review = await asked();
    expect(review.policy).toMatchObject({ calendar: 'office', deadlineMs: 16 * HOUR });
    expect(await fireTimes(review)).toEqual([
      'remind 2026-11-23T13:00',
      'remind 2026-11-24T09:00',
      'escalate 2026-11-24T13:00',
      'warn 2026-11-24T13:00',
      'escalate 2026-11-24T15:00',
      'expire 2026-11-25T09:00',
    ]);
    expect(await due(review)).toBe('2026-11-25T09:00:00.000Z');
    const [opened] = await reviewTimeline(stage.db, review.id);
    expect(opened?.data).toMatchObject({ calendar: 'office' });
  });

  it('counts by the first group that it asks and that has one, and else by the clock', async () => {
    await put(BERLIN);
    expect((await call('PUT', '/office/groups/secops')).body.groups).toEqual(['secops']);
    const to = (names: string[]) => ({ calendar: null, deadline: '10h', assign: { to: names } });
    const byGroup = await asked(to(['user:alice', 'group:leads', 'group:secops']));
    expect([byGroup.policy.calendar, await due(byGroup)]).toEqual(['office', '2026-11-24T11:00:00.000Z']);
    const without = await asked(to(['group:leads']));
    expect([without.policy.calendar, await due(without)]).toEqual([undefined, '2026-11-23T19:00:00.000Z']);
    await put({ timeZone: 'UTC', hours: office('08:00-20:00') }, 'long');
    await call('PUT', '/long/groups/secops');
    const moved = await asked(to(['group:secops']));
    expect(moved.policy.calendar).toBe('long');
    expect((await call('GET', '/office')).body.groups).toEqual([]);
    expect((await call('PUT', '/office/groups/nobody')).status).toBe(404);
    expect((await call('DELETE', '/office/groups/secops')).status).toBe(404);
    expect((await call('DELETE', '/long/groups/secops')).status).toBe(204);
  });

  it('fails its task where there is no such calendar, or too little working time in it', async () => {
    await expect(asked()).rejects.toThrow(/input calendar: there is no calendar office/);
    await put({ timeZone: 'UTC', hours: { mon: ['00:00-00:01'] } });
    await expect(asked({ deadline: '90h' })).rejects.toThrow(
      /input calendar: office: there is too little working time/,
    );
  });

  it('expires, reminds and escalates when that is due, each once, over a restart', async () => {
    await put(BERLIN);
    const review = await asked({ deadline: '10h', reminders: ['8h'], escalation: [] });
    const later = async (ms: number): Promise<void> => {
      stage.clock.advance(ms);
      await Promise.all([stage.timekeeper.tick(), stage.timekeeper.tick()]);
    };
    await later(20 * HOUR);
    const kinds = async () => (await reviewTimeline(stage.db, review.id)).map(({ kind }) => kind);
    expect(await kinds()).toEqual(['opened']);
    await later(4 * HOUR);
    expect(await kinds()).toEqual(['opened', 'due_soon', 'reminded']);
    await later(2 * HOUR);
    expect(await kinds()).toEqual(['opened', 'due_soon', 'reminded', 'expired']);
  });
});

describe('an edit of a calendar', () => {
  it('re-arms what waits: the working time that is left stays, and is laid into the new hours', async () => {
    await put(BERLIN);
    const review = await asked({ reminders: ['4h', '10h'], escalation: [] });
    stage.clock.advance(5 * HOUR);
    await stage.timekeeper.tick();
    // 15:00 on Monday: 11 hours are left. Tuesday is a holiday now, and there are four hours a day.
    const edit = await put({
      timeZone: 'Europe/Berlin',
      hours: office('13:00-17:00'),
      holidays: ['2026-11-24'],
    });
    expect([edit.body.rearmed, edit.body.version]).toEqual([1, 2]);
    expect(await fireTimes(review)).toEqual([
      'remind 2026-11-25T15:00',
      'warn 2026-11-26T13:00',
      'expire 2026-11-27T13:00',
    ]);
    expect(await due(review)).toBe('2026-11-27T13:00:00.000Z');
    const last = (await reviewTimeline(stage.db, review.id)).at(-1);
    expect(last).toMatchObject({
      kind: 'rescheduled',
      by: { id: 'olga' },
      data: { calendar: 'office', from: '2026-11-25T09:00:00.000Z', dueAt: '2026-11-27T13:00:00.000Z' },
    });
    expect(
      (await put({ ...BERLIN, hours: office('13:00-17:00'), holidays: ['2026-11-24'] })).body,
    ).toMatchObject({
      version: 2,
      rearmed: 0,
    });
  });

  it('tenant time zone change mid-week: what was worked off stays worked off, and nothing is due twice', async () => {
    await put(BERLIN);
    const review = await asked({ deadline: '3d', reminders: ['1d'], escalation: [] });
    // Wednesday, 12:00 in Berlin: 18 of 24 hours are worked off, and the reminder was sent.
    stage.clock.advance(50 * HOUR);
    await stage.timekeeper.tick();
    await put({ timeZone: 'America/New_York', hours: office() });
    // Six hours are left: 09:00 to 15:00 of the same day in New York.
    expect(await fireTimes(review)).toEqual(['expire 2026-11-25T20:00']);
    expect(await due(review)).toBe('2026-11-25T20:00:00.000Z');
    await stage.timekeeper.tick();
    const kinds = (await reviewTimeline(stage.db, review.id)).map(({ kind }) => kind);
    expect(kinds).toEqual(['opened', 'due_soon', 'reminded', 'rescheduled']);
    await put(BERLIN);
    expect(await due(review)).toBe('2026-11-26T09:00:00.000Z');
  });

  it('leaves a deadline where a person put it, and what has ended or counts by another', async () => {
    await put(BERLIN);
    await put(BERLIN, 'other');
    const [moved, ended, other] = [await asked(), await asked(), await asked({ calendar: 'other' })];
    const sunday = Date.parse('2026-11-29T12:00:00Z');
    await stage.reviews.act(moved.id, { kind: 'postpone', dueAt: sunday, reason: '' }, person('alice'));
    await stage.reviews.act(ended.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('alice'));
    expect((await put({ ...BERLIN, hours: office('13:00-14:00') })).body.rearmed).toBe(0);
    expect(await due(moved)).toBe('2026-11-29T12:00:00.000Z');
    expect(await due(other)).toBe('2026-11-25T09:00:00.000Z');
  });

  it('counts from when the clock of a review stopped, where a hold stops it', async () => {
    await put(BERLIN);
    const review = await asked({ holdStopsClock: true, deadline: '4h', reminders: [], escalation: [] });
    stage.clock.advance(2 * HOUR);
    const until = Date.parse('2026-11-30T09:00:00Z');
    await stage.reviews.act(review.id, { kind: 'hold', until, reason: '' }, person('alice'));
    stage.clock.advance(4 * HOUR);
    await put({ ...BERLIN, hours: office('09:00-13:00') });
    // Two hours were left at noon: one that day, one on the next.
    expect(await due(review)).toBe('2026-11-24T09:00:00.000Z');
  });

  it('and the opening of reviews at the same time leave none with the old hours', async () => {
    await put(BERLIN);
    const opening = Promise.all(Array.from({ length: 10 }, () => asked({ reminders: [], escalation: [] })));
    const editing = put({ ...BERLIN, hours: office('10:00-18:00') });
    const [reviews] = await Promise.all([opening, editing]);
    const times = await Promise.all(reviews.map(due));
    expect(new Set(times)).toEqual(new Set(['2026-11-24T17:00:00.000Z']));
    const expiries = (await Promise.all(reviews.map(fireTimes))).flat();
    expect(new Set(expiries)).toEqual(new Set(['warn 2026-11-24T13:00', 'expire 2026-11-24T17:00']));
  });

  it('and a decision at the same time are both made', async () => {
    await put(BERLIN);
    const review = await asked({ quorum: { approve: 2 } });
    const vote = { kind: 'decide', outcome: 'release', reason: 'a test file' } as const;
    await Promise.all([
      put({ ...BERLIN, hours: office('13:00-17:00') }),
      stage.reviews.act(review.id, vote, person('alice')),
    ]);
    const after = await stage.reviews.get(review.id);
    expect(after.votes).toHaveLength(1);
    const expiry = (await fireTimes(review)).at(-1);
    expect(expiry).toBe(`expire ${(await due(review)).slice(0, 16)}`);
    expect(await due(review)).not.toBe('2026-11-25T09:00:00.000Z');
  });
});

describe('calendars', () => {
  it('are kept, listed and taken away, and each change is in the audit', async () => {
    expect((await put(BERLIN)).status).toBe(200);
    expect((await call('GET', '', undefined, 'viewer')).body.items.map(({ name }) => name)).toEqual([
      'office',
    ]);
    await call('PUT', '/office/groups/secops');
    const held = await call('DELETE', '/office');
    expect([held.status, held.body.detail]).toEqual([
      409,
      expect.stringMatching(/Take it from the group first/),
    ]);
    await call('DELETE', '/office/groups/secops');
    const review = await asked();
    const used = await call('DELETE', '/office');
    expect([used.status, used.body.detail]).toEqual([409, expect.stringMatching(/waits by the calendar/)]);
    await stage.reviews.act(review.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('alice'));
    expect((await call('DELETE', '/office')).status).toBe(204);
    expect((await call('GET', '/office')).status).toBe(404);
    const events = await stage.db.query<{ action: string; actor: string }>(
      `SELECT action, actor FROM audit_event WHERE subject = 'calendar:office' ORDER BY id`,
    );
    expect(events.map(({ action }) => action)).toEqual(
      ['created', 'attached', 'detached', 'deleted'].map((verb) => `calendar.${verb}`),
    );
    expect(new Set(events.map(({ actor }) => actor))).toEqual(new Set(['user:olga']));
  });

  it.each([
    [{ timeZone: 'Europe/Berlin', hours: {} }, /hours: must name working time/],
    [{ timeZone: 'Mars/Base', hours: office() }, /timeZone: must be an IANA/],
    [{ ...BERLIN, holidays: ['25.12.2026'] }, /holidays\[0\]: must be a date/],
    [{ ...BERLIN, weekends: true }, /weekends/],
  ])('refuse %j', async (spec, message) => {
    const { status, body } = await put(spec);
    expect([status, body.detail]).toEqual([400, expect.stringMatching(message)]);
  });
});
