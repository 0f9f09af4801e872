import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BulkAnswer } from '../../src/reviews/bulk/bulk.view.js';
import type { Review } from '../../src/reviews/review.js';
import { findReview } from '../../src/reviews/sql/find-review.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { reviewsApp } from './app.js';
import { person, reviewsStage, type ReviewsStage } from './stage.js';

let stage: ReviewsStage;
let app: NestFastifyApplication;
beforeEach(async () => {
  stage = await reviewsStage();
  ({ app } = await reviewsApp(stage, { ROLES: 'api' }));
});
afterEach(async () => {
  await app.close();
  await stage.close();
});

async function bulk(payload: object, as = 'alice', more: Record<string, string> = {}) {
  const response = await app.inject({
    method: 'POST',
    url: '/api/v1/reviews/bulk',
    headers: { 'x-test-user': as, ...more },
    payload,
  });
  return { status: response.statusCode, body: response.json<BulkAnswer & { detail?: string }>() };
}
const shown = (...reviews: Review[]) => reviews.map(({ id, subjectDigest: digest }) => ({ id, digest }));
const approve = (reviews: Review[], more: object = {}) => ({
  action: 'decide',
  outcome: 'release',
  reason: 'a test file',
  items: shown(...reviews),
  ...more,
});
const stateOf = async ({ id }: Review) => (await findReview(stage.db, { id }))?.state;

describe('many reviews at once', () => {
  it('decides each for the one reason, and says so of each', async () => {
    const reviews = [await stage.open(), await stage.open(), await stage.open()];
    const { status, body } = await bulk(approve(reviews));
    expect(status).toBe(200);
    expect(body).toMatchObject({ done: 3, conflicts: 0, refused: 0 });
    expect(body.items.map(({ id, state }) => [id, state])).toEqual(
      reviews.map(({ id }) => [id, 'COMPLETED']),
    );
    for (const { id } of reviews)
      expect((await findReview(stage.db, { id }))?.decision).toMatchObject({
        outcome: 'release',
        reason: 'a test file',
        by: { id: 'alice' },
      });
  });

  it('bulk approve containing one’s own request: four eyes keep that one out, and the others are approved', async () => {
    const mine = await stage.open({ fourEyes: ['requester'], requester: 'Alice' });
    const others = [await stage.open(), await stage.open()];
    const { body } = await bulk(approve([others[0] as Review, mine, others[1] as Review]));
    expect(body).toMatchObject({ done: 2, refused: 1 });
    const alone = await app.inject({
      method: 'POST',
      url: `/api/v1/reviews/${mine.id}/decide`,
      headers: { 'x-test-user': 'alice' },
      payload: { outcome: 'release', reason: 'a test file', digest: mine.subjectDigest },
    });
    expect(alone.statusCode).toBe(403);
    expect(body.items[1]).toEqual({
      id: mine.id,
      result: 'refused',
      state: null,
      version: null,
      problem: alone.json(),
    });
    expect(await stateOf(mine)).toBe('OPEN');
  });

  it('says of each who was first and when, what was shown otherwise, what is not there, and who is asked', async () => {
    const taken = await stage.open();
    await stage.reviews.act(taken.id, { kind: 'claim' }, person('bob'));
    const decided = await stage.open();
    await stage.reviews.act(decided.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    const fine = await stage.open();
    const stale = { id: (await stage.open()).id, digest: 'f'.repeat(64) };
    const gone = { id: randomUUID(), digest: 'f'.repeat(64) };
    stage.reviewers.people = stage.reviewers.people.map((one) => ({ ...one, groups: ['staff'] }));
    stage.reviewers.people.push({ personId: 'carol', name: 'Carol', groups: ['leads'] });
    const notAsked = await stage.open({ assign: { to: ['group:leads'] } });
    const form = await stage.open({ form: { type: 'object', required: ['ticket'] } });
    const { body } = await bulk({
      ...approve([]),
      items: [...shown(taken, decided, fine), stale, gone, ...shown(notAsked, form)],
    });
    expect(body.items.map(({ result, problem }) => [result, problem?.['status'] ?? null])).toEqual([
      ['conflict', 409],
      ['conflict', 409],
      ['done', null],
      ['conflict', 409],
      ['refused', 404],
      ['refused', 403],
      ['refused', 400],
    ]);
    const at = new Date(stage.clock.now()).toISOString();
    expect(body.items[0]?.problem).toMatchObject({ winner: { id: 'bob' }, at });
    expect(body.items[1]?.problem).toMatchObject({ winner: { id: 'bob' }, at, outcome: 'delete' });
    expect(body.items[3]?.problem).toMatchObject({ digest: expect.any(String) as string });
  });

  it('leaves a quorum open that one vote does not complete', async () => {
    const review = await stage.open({ quorum: { approve: 2 } });
    const { body } = await bulk(approve([review]));
    expect(body.items[0]).toMatchObject({ result: 'done', state: 'OPEN' });
    expect((await bulk(approve([review]), 'bob')).body.items[0]).toMatchObject({ state: 'COMPLETED' });
  });

  it('claims, gives back, assigns with a reason, and puts on hold', async () => {
    const reviews = [await stage.open(), await stage.open()];
    const items = reviews.map(({ id }) => ({ id }));
    expect((await bulk({ action: 'claim', items })).body.items.map(({ state }) => state)).toEqual([
      'CLAIMED',
      'CLAIMED',
    ]);
    expect((await bulk({ action: 'release', items })).body.done).toBe(2);
    await bulk({ action: 'reassign', to: 'bob', reason: 'his project', items });
    for (const { id } of reviews) {
      expect((await findReview(stage.db, { id }))?.claim?.by.id).toBe('bob');
      expect((await reviewTimeline(stage.db, id)).at(-1)).toMatchObject({
        kind: 'reassigned',
        data: { reason: 'his project' },
      });
    }
    const until = '2026-11-24T09:00:00Z';
    expect((await bulk({ action: 'hold', until, reason: 'a freeze', items }, 'bob')).body.done).toBe(2);
    expect(await Promise.all(reviews.map(stateOf))).toEqual(['ON_HOLD', 'ON_HOLD']);
  });

  it('is refused as a whole where the request itself cannot be', async () => {
    const review = await stage.open();
    const tooMany = Array.from({ length: 101 }, () => ({ id: randomUUID() }));
    for (const [body, field] of [
      [{ ...approve([review]), items: [{ id: review.id }] }, /digest/],
      [{ action: 'claim', items: [] }, /items/],
      [{ action: 'claim', items: tooMany }, /items/],
      [
        { action: 'claim', items: [{ id: review.id }, { id: review.id.toUpperCase() }] },
        /names a review twice/,
      ],
      [{ action: 'reassign', to: 'nobody', items: [{ id: review.id }] }, /to: is not the id/],
      [{ action: 'skip', items: [{ id: review.id }] }, /action/],
    ] as const) {
      const answer = await bulk(body);
      expect(answer.status).toBe(400);
      expect(answer.body.detail).toMatch(field);
    }
    expect(await stateOf(review)).toBe('OPEN');
  });

  it('shows to an approver of one queue nothing of another', async () => {
    stage.reviewers.people.push({ personId: 'carl', name: 'Carl', queues: ['quarantine'] });
    const theirs = await stage.open({ queue: 'quarantine' });
    const other = await stage.open();
    const { body } = await bulk(approve([theirs, other]), 'carl', {
      'x-test-roles': 'viewer',
      'x-test-grants': 'quarantine',
    });
    expect(body.items.map(({ result }) => result)).toEqual(['done', 'refused']);
    expect(body.items[1]?.problem).toMatchObject({ status: 403 });
  });
});

it('gives nothing to somebody who could not decide it, and tells them nothing of it', async () => {
  stage.reviewers.people.push({
    personId: 'carl',
    name: 'Carl',
    email: 'carl@example.com',
    queues: ['quarantine'],
  });
  const theirs = await stage.open({ queue: 'quarantine' });
  const other = await stage.open();
  const { body } = await bulk({
    action: 'reassign',
    to: 'carl',
    items: [{ id: theirs.id }, { id: other.id }],
  });
  expect(body.items.map(({ result }) => result)).toEqual(['done', 'refused']);
  expect(body.items[1]?.problem).toMatchObject({
    status: 403,
    detail: expect.stringMatching(/Carl may not decide in the queue default/) as string,
  });
  expect(await findReview(stage.db, { id: other.id })).toMatchObject({ state: 'OPEN', claim: undefined });
});

describe('the same request again', () => {
  it('is answered like the first time, also where the reviews have gone on since', async () => {
    const reviews = [await stage.open(), await stage.open({ fourEyes: ['requester'], requester: 'Alice' })];
    const request = {
      action: 'hold',
      until: '2026-11-24T09:00:00Z',
      reason: 'a freeze',
      items: reviews.map(({ id }) => ({ id })),
      idempotencyKey: 'k1',
    };
    const first = await bulk(request);
    await stage.reviews.act(reviews[0]?.id ?? '', { kind: 'resume' }, person('bob'));
    expect((await bulk(request)).body).toEqual(first.body);
    expect(first.body).toMatchObject({ done: 1, refused: 1 });
    expect(await stateOf(reviews[0] as Review)).toBe('OPEN');
  });

  it('goes on where the service was cut off in the middle', async () => {
    const reviews = [await stage.open(), await stage.open(), await stage.open()];
    const request = approve(reviews, { idempotencyKey: 'k2' });
    const list = stage.reviewers.list.bind(stage.reviewers);
    let looks = 0;
    stage.reviewers.list = () =>
      ++looks === 2 ? Promise.reject(new Error('the process is killed here')) : list();
    expect((await bulk(request)).status).toBe(500);
    expect(await Promise.all(reviews.map(stateOf))).toEqual(['COMPLETED', 'OPEN', 'OPEN']);
    expect((await bulk(request)).body.done).toBe(3);
    const votes = await stage.db.query('SELECT 1 FROM review_vote');
    expect(votes).toHaveLength(3);
  });

  it('at the same moment makes each change once', async () => {
    const reviews = [await stage.open(), await stage.open()];
    const request = {
      action: 'hold',
      until: '2026-11-24T09:00:00Z',
      items: reviews.map(({ id }) => ({ id })),
      idempotencyKey: 'k3',
    };
    const answers = await Promise.all([bulk(request), bulk(request), bulk(request)]);
    for (const { body } of answers) expect(body).toEqual(answers[0]?.body);
    for (const { id } of reviews) {
      const timeline = await reviewTimeline(stage.db, id);
      expect(timeline.filter(({ kind }) => kind === 'held')).toHaveLength(1);
    }
  });

  it('is another request under the same key: refused; another person’s key is theirs', async () => {
    const [one, two] = [await stage.open(), await stage.open()];
    await bulk({ action: 'claim', items: [{ id: one.id }], idempotencyKey: 'k4' });
    const other = await bulk({ action: 'claim', items: [{ id: two.id }], idempotencyKey: 'k4' });
    expect(other.status).toBe(409);
    expect(other.body.detail).toMatch(/idempotencyKey/);
    const bobs = await bulk({ action: 'claim', items: [{ id: two.id }], idempotencyKey: 'k4' }, 'bob');
    expect(bobs.body.done).toBe(1);
  });

  it('is a new one after a week', async () => {
    const review = await stage.open();
    const request = { action: 'claim', items: [{ id: review.id }], idempotencyKey: 'k5' };
    await bulk(request);
    await stage.reviews.act(review.id, { kind: 'release' }, person('alice'));
    stage.clock.advance(8 * 86_400_000);
    await bulk(request);
    expect(await stateOf(review)).toBe('CLAIMED');
    expect(await stage.db.query('SELECT 1 FROM review_batch')).toHaveLength(1);
  });
});
