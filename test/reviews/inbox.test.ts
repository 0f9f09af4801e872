import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReviewSummary } from '../../src/reviews/review.view.js';
import { reviewsApp } from './app.js';
import { person, reviewsStage, type ReviewsStage } from './stage.js';

const HOUR = 3_600_000;
let stage: ReviewsStage;
let app: NestFastifyApplication;
beforeEach(async () => {
  stage = await reviewsStage();
  stage.reviewers.people = [
    { personId: 'alice', name: 'Alice', groups: ['secops'] },
    { personId: 'bob', name: 'Bob', groups: ['leads'] },
  ];
  ({ app } = await reviewsApp(stage, { ROLES: 'api' }));
});
afterEach(async () => {
  await app.close();
  await stage.close();
});

interface Answer {
  readonly id: string;
  readonly state: string;
  readonly items: readonly ReviewSummary[];
  readonly nextCursor: string | null;
}

async function call(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  as = 'alice',
  payload?: object,
  roles = 'analyst',
): Promise<{ status: number; body: Answer }> {
  const response = await app.inject({
    method,
    url: `/api/v1/${path}`,
    headers: { 'x-test-user': as, 'x-test-roles': roles },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: response.statusCode, body: (response.body === '' ? {} : response.json()) as Answer };
}
const titles = async (query: string, as = 'alice'): Promise<string[]> => {
  const { body } = await call('GET', `reviews?${query}`, as);
  return body.items.map(({ title }) => title);
};

describe('the inbox', () => {
  beforeEach(async () => {
    await stage.open({ title: 'no deadline' });
    await stage.open({ title: 'due late', deadline: '3d', queue: 'quarantine' });
    await stage.open({ title: 'due soon', deadline: '1h', assign: { to: ['group:secops'] } });
    await stage.open({ title: 'for leads', assign: { to: ['group:leads'] }, queue: 'quarantine' });
    await stage.open({
      title: 'asked for by alice',
      fourEyes: ['requester'],
      requester: 'Alice',
    });
  });

  it('lists what is due first, page by page, and what has no deadline behind it', async () => {
    const wanted = ['due soon', 'due late', 'no deadline', 'for leads', 'asked for by alice'];
    expect((await titles('sort=due')).slice(0, 2)).toEqual(wanted.slice(0, 2));
    const found: string[] = [];
    let cursor = '';
    do {
      const { body } = await call(
        'GET',
        `reviews?sort=due&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      found.push(...body.items.map(({ title }) => title));
      cursor = body.nextCursor ?? '';
    } while (cursor !== '');
    expect(found.toSorted((a, b) => a.localeCompare(b))).toEqual(
      wanted.toSorted((a, b) => a.localeCompare(b)),
    );
    expect(found.slice(0, 2)).toEqual(wanted.slice(0, 2));
  });

  it('shows to each what they may take: of their groups and of all, not what four eyes keep from them', async () => {
    expect(await titles('view=asked&sort=due')).toEqual(['due soon', 'due late', 'no deadline']);
    const bobs = await titles('view=asked&sort=due', 'bob');
    expect(bobs).toContain('for leads');
    expect(bobs).toContain('asked for by alice');
    expect(bobs).not.toContain('due soon');
  });

  it('knows mine, unassigned, overdue, and one queue', async () => {
    const [first] = (await call('GET', 'reviews?sort=due')).body.items;
    await call('POST', `reviews/${first?.id}/claim`);
    expect(await titles('view=mine')).toEqual(['due soon']);
    expect(await titles('view=unassigned')).not.toContain('due soon');
    expect(await titles('queue=quarantine&sort=due')).toEqual(['due late', 'for leads']);
    stage.clock.advance(2 * HOUR);
    expect(await titles('view=breached')).toEqual(['due soon']);
  });

  it('shows whom a review asks, how many must agree, and until when', async () => {
    const review = await stage.open({
      assign: { to: ['group:secops', 'group:leads'] },
      quorum: { approve: 2 },
      deadline: '1d',
    });
    const { body } = await call('POST', `reviews/${review.id}/decide`, 'alice', {
      outcome: 'release',
      reason: 'a test file',
    });
    expect(body).toMatchObject({
      state: 'OPEN',
      asks: [
        { kind: 'group', name: 'secops' },
        { kind: 'group', name: 'leads' },
      ],
      dueAt: '2026-11-24T09:00:00.000Z',
      votes: [{ by: { id: 'alice' }, label: 'Release' }],
      quorum: { approve: 2, reject: 1 },
      decision: null,
    });
  });

  it('shows to an approver of one queue that queue alone, and lets them decide there', async () => {
    const headers = { 'x-test-user': 'carl', 'x-test-roles': 'viewer', 'x-test-grants': 'quarantine' };
    const as = async (method: 'GET' | 'POST', path: string, payload?: object) => {
      const url = `/api/v1/reviews${path}`;
      const response = await app.inject({
        method,
        url,
        headers,
        ...(payload === undefined ? {} : { payload }),
      });
      return {
        status: response.statusCode,
        body: response.json<{ items?: ReviewSummary[]; state?: string }>(),
      };
    };
    stage.reviewers.people = [
      ...stage.reviewers.people,
      { personId: 'carl', name: 'Carl', email: 'carl@example.com', queues: ['quarantine'] },
    ];
    const listed = (await as('GET', '?sort=due')).body.items ?? [];
    expect(listed.map(({ title }) => title)).toEqual(['due late', 'for leads']);
    const inAll = (await call('GET', 'reviews?sort=due')).body.items;
    const other = inAll.find(({ title }) => title === 'no deadline')?.id;
    expect((await as('GET', `/${other}`)).status).toBe(403);
    for (const [verb, body] of [
      ['decide', { outcome: 'delete' }],
      ['claim', {}],
      ['answer', { text: 'x' }],
      ['resume', {}],
      ['comment', { text: 'x' }],
    ] as const)
      expect((await as('POST', `/${other}/${verb}`, body)).status).toBe(403);
    expect(await as('POST', `/${listed[0]?.id}/decide`, { outcome: 'delete' })).toMatchObject({
      status: 200,
      body: { state: 'COMPLETED' },
    });
  });

  it('takes hold, question back, answer, hand-over and leaving out, each with its fields checked', async () => {
    const { id } = await stage.open({ deadline: '4h' });
    const post = (verb: string, body: object, as = 'alice') =>
      call('POST', `reviews/${id}/${verb}`, as, body);
    expect(await post('hold', { until: 'tomorrow' })).toMatchObject({ status: 400 });
    expect(await post('hold', { until: '2026-11-23T10:00:00+01:00' })).toMatchObject({ status: 400 });
    expect(await post('hold', { until: '2026-11-24T10:00:00+01:00' })).toMatchObject({
      status: 200,
      body: { state: 'ON_HOLD' },
    });
    expect(await post('ask', { question: 'whose?' })).toMatchObject({ status: 409 });
    expect((await post('resume', {})).body.state).toBe('OPEN');
    expect((await post('ask', { question: 'whose?' })).body.state).toBe('INFO_REQUESTED');
    expect((await post('answer', { text: 'mine' }, 'bob')).body.state).toBe('OPEN');
    expect(await post('reassign', { to: 'nobody' })).toMatchObject({ status: 400 });
    expect((await post('reassign', { to: 'bob' })).body.state).toBe('ASSIGNED');
    expect(await post('skip', { reason: 'not ours' })).toMatchObject({ status: 409 });
    expect(await post('postpone', { dueAt: '2026-11-25T00:00:00Z' })).toMatchObject({ status: 200 });
    expect((await post('delegate', { to: 'alice' }, 'bob')).body.state).toBe('ASSIGNED');
    expect((await post('skip', { reason: 'not ours' })).body.state).toBe('SKIPPED');
    expect(await post('withdraw', {})).toMatchObject({ status: 409 });
  });
});

describe('absences', () => {
  const away = { from: '2026-11-23T00:00:00Z', to: '2026-11-30T00:00:00Z' };

  it('are said by whoever is away, with who stands in, and taken back by them or an admin', async () => {
    const added = await call('POST', 'absences', 'bob', { ...away, substituteId: 'alice' });
    expect(added.status).toBe(201);
    const { body } = await call('GET', 'absences');
    expect(body.items).toMatchObject([{ person: { name: 'Bob' }, substitute: { name: 'Alice' } }]);
    const review = await stage.open({ assign: { to: ['user:Bob'] } });
    expect((await stage.reviews.act(review.id, { kind: 'claim' }, person('alice'))).state).toBe('CLAIMED');
    expect((await call('DELETE', `absences/${added.body.id}`, 'alice')).status).toBe(403);
    expect((await call('DELETE', `absences/${added.body.id}`, 'bob')).status).toBe(204);
    expect((await call('DELETE', `absences/${added.body.id}`, 'bob')).status).toBe(404);
  });

  it('of somebody else are an admin’s to say, and no absence contradicts itself', async () => {
    expect((await call('POST', 'absences', 'alice', { ...away, personId: 'bob' })).status).toBe(403);
    expect((await call('POST', 'absences', 'root', { ...away, personId: 'bob' }, 'admin')).status).toBe(201);
    for (const wrong of [
      { from: away.to, to: away.from },
      { ...away, substituteId: 'alice' },
      { ...away, substituteId: 'nobody' },
      { from: away.from, to: '2029-01-01T00:00:00Z' },
      { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' },
    ])
      expect((await call('POST', 'absences', 'alice', wrong)).status).toBe(400);
  });
});
