import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/engine/model/json.js';
import type { CaseAnswer, CaseDetail } from '../../src/reviews/cases/case.view.js';
import type { Review } from '../../src/reviews/review.js';
import type { Subject } from '../../src/reviews/rules/subject.js';
import { findReview } from '../../src/reviews/sql/find-review.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { reviewsApp } from './app.js';
import { exampleSubject, person, reviewsStage, type ReviewsStage } from './stage.js';

let stage: ReviewsStage;
let app: NestFastifyApplication;
beforeEach(async () => {
  stage = await reviewsStage();
  // The clock's work is done by the tests alone.
  ({ app } = await reviewsApp(stage, { ROLES: 'api' }));
});
afterEach(async () => {
  await app.close();
  await stage.close();
});

async function request(
  method: 'GET' | 'POST',
  path: string,
  as: string,
  payload?: object,
  more: Record<string, string> = {},
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await app.inject({
    method,
    url: `/api/v1/review-cases${path}`,
    headers: { 'x-test-user': as, ...more },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: response.statusCode, body: response.json() };
}
/** One after the other, as people see them in a case. */
const open = (input: JsonObject = {}): Promise<Review> => {
  stage.clock.advance(1);
  return stage.open(input);
};
const openOf = async (subject: Partial<Subject>, input: JsonObject = {}): Promise<Review> => {
  stage.evidence.subject = { ...exampleSubject(), ...subject };
  return open(input);
};
const fresh = async ({ id }: Review): Promise<Review> => {
  const found = await findReview(stage.db, { id });
  if (found === undefined) throw new Error('the review is gone');
  return found;
};
const caseOf = async (review: Review): Promise<string | undefined> => (await fresh(review)).caseId;
const shown = async (id: string, as = 'alice') => (await request('GET', `/${id}`, as)).body as CaseDetail;
/** What a page shows that was loaded now. */
const items = ({ reviews }: CaseDetail) =>
  reviews.map(({ review }) => ({ id: review.id, digest: review.subjectDigest }));
const decide = async (id: string, page: CaseDetail, as = 'alice', more: object = {}): Promise<CaseAnswer> => {
  const asked = { outcome: 'release', reason: 'a test file', items: items(page), ...more };
  return (await request('POST', `/${id}/decide`, as, asked)).body as CaseAnswer;
};

describe('open reviews about the same thing', () => {
  it('join one case when the same was found, and when the bytes are the same', async () => {
    const first = await openOf({ fingerprints: ['k1:a'], sha256: 'aa' });
    expect(await caseOf(first)).toBeUndefined();
    const sameFindings = await openOf({ fingerprints: ['k1:a'], sha256: 'bb' });
    const sameBytes = await openOf({ fingerprints: ['k1:z'], sha256: 'bb' });
    const other = await openOf({ fingerprints: ['k1:a', 'k1:b'], sha256: 'cc' });
    const id = await caseOf(first);
    expect(id).toBeDefined();
    expect(await caseOf(sameFindings)).toBe(id);
    expect(await caseOf(sameBytes)).toBe(id);
    expect(await caseOf(other)).toBeUndefined();
    const page = await shown(id ?? '');
    expect(page).toMatchObject({ members: 3, waiting: 3, decided: null, queue: 'default' });
    expect(page.reviews.map(({ review }) => review.id)).toEqual([first.id, sameFindings.id, sameBytes.id]);
    expect((await reviewTimeline(stage.db, sameBytes.id)).at(-1)).toMatchObject({
      kind: 'case_joined',
      data: { case: id, same: 'bytes' },
    });
    const { body } = await request('GET', '', 'alice');
    expect(body).toMatchObject({ items: [{ id, members: 3, waiting: 3 }] });
  });

  it('do not where the question, its rules, or what was done with the object is another', async () => {
    const first = await openOf({});
    for (const input of [
      { outcomes: ['delete', 'release'] },
      { queue: 'quarantine' },
      { quorum: { approve: 2 } },
      { assign: { to: ['user:Bob'] } },
      { quarantine: { moved: false } },
      { verdict: 'incomplete' },
      { form: { type: 'object' } },
    ])
      expect(await caseOf(await openOf({}, input))).toBeUndefined();
    expect(await caseOf(await openOf({ fingerprints: [] }))).toBeUndefined();
    expect(await caseOf(await openOf({}, { title: 'Another object?' }))).toBe(await caseOf(first));
  });

  it('that open at the same moment are in one case, each once', async () => {
    const reviews = await Promise.all(Array.from({ length: 8 }, () => open()));
    const ids = new Set(await Promise.all(reviews.map(caseOf)));
    expect(ids.size).toBe(1);
    expect(await stage.db.query('SELECT size FROM review_case')).toEqual([{ size: 8 }]);
  });

  it('begin a new case where one is full', async () => {
    await open();
    const second = await open();
    await stage.db.query('UPDATE review_case SET size = 100');
    const third = await open();
    expect(await caseOf(third)).toBeUndefined();
    const fourth = await open();
    expect(await caseOf(fourth)).toBe(await caseOf(third));
    expect(await caseOf(fourth)).not.toBe(await caseOf(second));
  });
});

describe('a case', () => {
  it('is decided once, with a result for each object and every workflow told', async () => {
    const reviews = [await open(), await open(), await open()];
    const id = (await caseOf(reviews[0] as Review)) ?? '';
    const body = await decide(id, await shown(id));
    expect(body).toMatchObject({ done: 3, refused: 0, conflicts: 0, left: [] });
    expect(body.items.map((item) => [item.id, item.state])).toEqual(
      reviews.map((review) => [review.id, 'COMPLETED']),
    );
    expect(await shown(id)).toMatchObject({
      waiting: 0,
      decided: { outcome: 'release', label: 'Release', by: { id: 'alice' }, reason: 'a test file' },
    });
    const told = await stage.db.query(`SELECT key FROM outbox WHERE kind = 'engine.complete'`);
    expect(told).toHaveLength(3);
  });

  it('findings merged while under vote: what came later keeps no vote from counting, and has none that never saw it', async () => {
    const two = { quorum: { approve: 2 } };
    const [first, second] = [await open(two), await open(two)];
    const id = (await caseOf(first)) ?? '';
    const early = await shown(id, 'alice');
    expect((await decide(id, early, 'alice')).left.map(({ why }) => why)).toEqual([
      'It needs more votes.',
      'It needs more votes.',
    ]);
    const late = await open(two);
    expect(await caseOf(late)).toBe(id);
    // Bob's page is from before it came.
    const body = await decide(id, early, 'bob');
    expect(body.done).toBe(2);
    expect(body.left).toEqual([
      { id: late.id, title: late.title, why: 'It was not among those that you were shown.' },
    ]);
    for (const review of [first, second]) expect((await fresh(review)).votes).toHaveLength(2);
    expect(await fresh(late)).toMatchObject({ state: 'OPEN', votes: [] });
    expect(await shown(id)).toMatchObject({ waiting: 1, decided: { outcome: 'release' } });
    // It is decided by whoever sees it.
    await decide(id, await shown(id), 'alice');
    await decide(id, await shown(id), 'bob');
    expect((await fresh(late)).state).toBe('COMPLETED');
  });

  it('that was decided is joined by nothing more', async () => {
    const first = await open();
    const kept = await open({ fourEyes: [], requester: 'Alice' });
    const id = (await caseOf(first)) ?? '';
    const page = await shown(id);
    await request('POST', `/${id}/decide`, 'alice', {
      outcome: 'delete',
      items: items(page).filter((item) => item.id === first.id),
    });
    expect((await fresh(kept)).state).toBe('OPEN');
    expect(await caseOf(await open())).not.toBe(id);
  });

  it('leaves open, and names, what four eyes keep from whoever decides; somebody else decides it', async () => {
    const rule = { fourEyes: ['requester'] };
    const mine = await open({ ...rule, requester: 'Alice' });
    const other = await open({ ...rule, requester: 'Bob' });
    const id = (await caseOf(mine)) ?? '';
    const page = await shown(id, 'alice');
    expect(page.reviews.map(({ keptFrom }) => keptFrom)).toEqual([
      expect.stringMatching(/four eyes.*asked for it/) as string,
      null,
    ]);
    const body = await decide(id, page, 'alice');
    expect(body).toMatchObject({ done: 1, refused: 1 });
    expect(body.left).toMatchObject([{ id: mine.id, why: expect.stringMatching(/four eyes/) as string }]);
    expect((await fresh(other)).state).toBe('COMPLETED');
    expect((await decide(id, await shown(id, 'bob'), 'bob')).items).toMatchObject([
      { id: mine.id, result: 'done', state: 'COMPLETED' },
      { id: other.id, result: 'conflict' },
    ]);
  });

  it('refuses the one that was scanned again meanwhile, which leaves it; the others are decided', async () => {
    const [first, second] = [await open(), await open()];
    const id = (await caseOf(first)) ?? '';
    const page = await shown(id);
    stage.evidence.later = { ...exampleSubject(), fingerprints: ['k1:new'] };
    stage.clock.advance(16_000);
    await stage.db.query('UPDATE review SET checked_at = $2 WHERE id <> $1', [second.id, stage.clock.now()]);
    await stage.sweeper.sweep();
    expect(await caseOf(second)).toBeUndefined();
    expect((await reviewTimeline(stage.db, second.id)).map(({ kind }) => kind)).toContain('case_left');
    const body = await decide(id, page);
    expect(body.items.map(({ result }) => result)).toEqual(['done', 'conflict']);
    expect((await fresh(second)).state).toBe('OPEN');
  });

  it('loses one that somebody takes out: it goes on alone, joins nothing again, and is not decided through the case', async () => {
    const [first, second] = [await open(), await open()];
    const id = (await caseOf(first)) ?? '';
    const page = await shown(id);
    const out = { reviewId: second.id, reason: 'another owner' };
    const { status, body } = await request('POST', `/${id}/detach`, 'bob', out);
    expect(status).toBe(200);
    expect(body).toMatchObject({ members: 1, detached: [{ id: second.id, by: { id: 'bob' } }] });
    expect((await reviewTimeline(stage.db, second.id)).at(-1)).toMatchObject({
      kind: 'case_left',
      by: { id: 'bob' },
      data: { reason: 'another owner' },
    });
    const again = await request('POST', `/${id}/detach`, 'alice', out);
    expect(again).toMatchObject({ status: 409, body: { winner: { id: 'bob' } } });
    const answer = await decide(id, page);
    expect(answer.items).toMatchObject([
      { id: first.id, result: 'done' },
      { id: second.id, result: 'conflict', problem: { winner: { id: 'bob' } } },
    ]);
    expect(await fresh(second)).toMatchObject({ state: 'OPEN', votes: [] });
    const third = await open();
    expect(await caseOf(third)).toBeUndefined();
    expect(await caseOf(second)).toBeUndefined();
  });

  it('tells whoever takes one out too late who decided it, and when', async () => {
    const [first] = [await open(), await open()];
    const id = (await caseOf(first)) ?? '';
    await stage.reviews.act(first.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    const late = await request('POST', `/${id}/detach`, 'alice', {
      reviewId: first.id,
    });
    expect(late).toMatchObject({
      status: 409,
      body: { winner: { id: 'bob' }, at: new Date(stage.clock.now()).toISOString() },
    });
  });

  it('of two that decide it at once, tells one of each review who was first', async () => {
    const reviews = [await open(), await open(), await open()];
    const id = (await caseOf(reviews[0] as Review)) ?? '';
    const page = await shown(id);
    const [alice, bob] = await Promise.all([
      decide(id, page, 'alice'),
      decide(id, page, 'bob', { outcome: 'delete' }),
    ]);
    for (const [index, review] of reviews.entries()) {
      const { decision } = await fresh(review);
      const lost = decision?.by.id === 'alice' ? bob.items[index] : alice.items[index];
      expect(lost).toMatchObject({ result: 'conflict', problem: { winner: { id: decision?.by.id } } });
    }
    expect(alice.done + bob.done).toBe(3);
  });

  it('answers the same request again like the first time', async () => {
    const [first] = [await open(), await open()];
    const id = (await caseOf(first)) ?? '';
    const page = await shown(id);
    const once = await decide(id, page, 'alice', { idempotencyKey: 'k1' });
    expect(await decide(id, page, 'alice', { idempotencyKey: 'k1' })).toEqual(once);
  });

  it('is hidden from an approver of another queue, and not decided by who only reads', async () => {
    const [first] = [await open(), await open()];
    const id = (await caseOf(first)) ?? '';
    const grant = { 'x-test-roles': 'viewer', 'x-test-grants': 'quarantine' };
    expect((await request('GET', `/${id}`, 'carl', undefined, grant)).status).toBe(403);
    expect((await request('GET', '', 'carl', undefined, grant)).body).toMatchObject({ items: [] });
    const page = await request('GET', `/${id}`, 'ann', undefined, { 'x-test-roles': 'auditor' });
    expect((page.body as CaseDetail).reviews[0]?.keptFrom).toMatch(/role/);
    expect((await request('GET', '/11111111-1111-4111-8111-111111111111', 'alice')).status).toBe(404);
    expect((await request('GET', '/nothing', 'alice')).status).toBe(400);
  });
});
