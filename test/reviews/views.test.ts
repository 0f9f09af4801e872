import * as fc from 'fast-check';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/engine/model/json.js';
import type { ReviewSummary } from '../../src/reviews/review.view.js';
import { riskOf } from '../../src/reviews/rules/risk.js';
import type { Subject } from '../../src/reviews/rules/subject.js';
import { searchQuery } from '../../src/reviews/sql/search.js';
import type { ReviewView } from '../../src/reviews/views/view.view.js';
import { ReviewComments } from '../../src/reviews/comments/comments.service.js';
import { reviewsApp } from './app.js';
import { exampleSubject, person, reviewsStage, type ReviewsStage } from './stage.js';

let stage: ReviewsStage;
let app: NestFastifyApplication;
beforeEach(async () => {
  stage = await reviewsStage();
  stage.reviewers.people = [
    { personId: 'alice', name: 'Alice', groups: ['secops'] },
    { personId: 'bob', name: 'Bob', groups: ['secops', 'leads'] },
    { personId: 'carol', name: 'Carol', groups: ['leads'] },
  ];
  ({ app } = await reviewsApp(stage, { ROLES: 'api' }));
});
afterEach(async () => {
  await app.close();
  await stage.close();
});

async function call(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  as = 'alice',
  payload?: object,
  roles = 'analyst',
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await app.inject({
    method,
    url: `/api/v1/${path}`,
    headers: { 'x-test-user': as, 'x-test-roles': roles },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: response.statusCode, body: response.body === '' ? undefined : response.json() };
}
const openOf = async (subject: Partial<Subject>, input: JsonObject = {}): Promise<string> => {
  stage.clock.advance(1);
  stage.evidence.subject = { ...exampleSubject(), ...subject };
  return (await stage.open(input)).id;
};
const listed = async (query: string): Promise<string[]> => {
  const { body } = await call('GET', `reviews?${query}`);
  return (body as { items: ReviewSummary[] }).items.map(({ title }) => title);
};

describe('the search', () => {
  const at = (key: string): Partial<Subject> => ({ object: exampleSubject(key).object });
  beforeEach(async () => {
    await openOf(at('invoices/2026/Q3-final_v2.pdf'), { title: 'first' });
    await openOf(at('backup/db.größe.sql.gz'), { title: 'second' });
    await openOf({}, { title: 'Release the invoices?' });
  });

  it('finds words of title, bucket and key by their beginnings; all must be there', async () => {
    expect(await listed('q=invoices')).toEqual(['Release the invoices?', 'first']);
    expect(await listed('q=inv%20q3')).toEqual(['first']);
    expect(await listed('q=final_V2.pdf')).toEqual(['first']);
    expect(await listed('q=gr%C3%B6%C3%9Fe')).toEqual(['second']);
    expect(await listed('q=uploads&sort=due')).toHaveLength(3);
    expect(await listed('q=voices')).toEqual([]);
    expect(await listed('q=invoices&queue=other')).toEqual([]);
  });

  it('finds what people wrote of it', async () => {
    const id = await openOf({}, { title: 'fourth' });
    const review = await stage.reviews.get(id);
    await app.get(ReviewComments, { strict: false }).add(review, 'See ticket OPS-4711.', person('bob'));
    expect(await listed('q=ops-4711')).toEqual(['fourth']);
  });

  it('shows to nobody what they may not see', async () => {
    const response = await app.inject({
      url: '/api/v1/reviews?q=invoices',
      headers: { 'x-test-user': 'carl', 'x-test-roles': 'viewer', 'x-test-grants': 'quarantine' },
    });
    expect(response.json()).toMatchObject({ items: [] });
  });

  it('refuses what has no word, and takes whatever else somebody types', async () => {
    for (const q of ['%20', '...', '%F0%9F%98%80'])
      expect((await call('GET', `reviews?q=${q}`)).status).toBe(400);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 60 }), async (typed) => {
        const query = searchQuery(typed.replaceAll('\u0000', ''));
        if (query !== undefined) await stage.db.query(`SELECT to_tsquery('simple', $1)`, [query]);
      }),
      { numRuns: 200 },
    );
    for (const typed of [`' | 'x`, `a:*|b`, `\\'); DROP TABLE review; --`, '<script>'])
      expect((await call('GET', `reviews?q=${encodeURIComponent(typed)}`)).status).toBe(200);
  });

  it('is answered from its indexes', async () => {
    await stage.db.transaction(async (tx) => {
      await tx.query('SET LOCAL enable_seqscan = off');
      const { matches } = await import('../../src/reviews/sql/search.js');
      const plan = await tx.query(
        `EXPLAIN SELECT id FROM review WHERE ${matches('$1')}`.replaceAll('$1', `'''a'':*'`),
      );
      const text = JSON.stringify(plan);
      expect(text).toContain('review_words');
      expect(text).toContain('review_comment_words');
    });
  });
});

describe('the order by risk', () => {
  it('lists the gravest first and the oldest of those, page by page', async () => {
    const finding = exampleSubject().findings[0];
    if (finding === undefined) throw new Error('the example has a finding');
    await openOf({ findings: [{ ...finding, severity: 'low' }] }, { title: 'low' });
    await openOf({ findings: [] }, { title: 'infected', verdict: 'infected' });
    await openOf({ findings: [{ ...finding, verified: { state: 'active', at: 1 } }] }, { title: 'in use' });
    await openOf({}, { title: 'critical' });
    await openOf({}, { title: 'critical later' });
    await openOf(
      { findings: [{ ...finding, accepted: 'known' }] },
      { title: 'accepted', verdict: 'incomplete' },
    );
    const wanted = ['in use', 'infected', 'critical', 'critical later', 'accepted', 'low'];
    expect(await listed('sort=risk')).toEqual(wanted);
    const found: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await call(
        'GET',
        `reviews?sort=risk&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      const page = body as { items: ReviewSummary[]; nextCursor: string | null };
      found.push(...page.items.map(({ title }) => title));
      cursor = page.nextCursor;
    }
    expect(found).toEqual(wanted);
  });

  it('ranks what an earlier release opened by its verdict', async () => {
    await openOf({}, { title: 'new' });
    await openOf({}, { title: 'old', verdict: 'infected' });
    await stage.db.query(`UPDATE review SET risk = NULL WHERE title = 'old'`);
    expect(await listed('sort=risk')).toEqual(['old', 'new']);
    expect(await listed('sort=risk&limit=1')).toEqual(['old']);
  });

  it('never leaves 0 to 100', () => {
    const finding = fc.record({
      severity: fc.constantFrom('critical', 'high', 'medium', 'low'),
      confidence: fc.constantFrom('high', 'medium', 'low'),
      verified: fc.constantFrom(undefined, { state: 'active', at: 1 }),
    });
    fc.assert(
      fc.property(fc.string(), fc.array(finding), (verdict, findings) => {
        const risk = riskOf({ verdict, findings: findings as unknown as Subject['findings'] });
        expect(risk).toBeGreaterThanOrEqual(0);
        expect(risk).toBeLessThanOrEqual(100);
      }),
    );
  });
});

describe('views', () => {
  const spec = {
    states: ['WAITING'],
    view: 'asked',
    queue: 'quarantine',
    q: 'invoices',
    sort: 'risk',
    columns: ['object', 'risk', 'due'],
  };
  const make = async (name: string, shared: object | null, as = 'alice') =>
    call('POST', 'review-views', as, { name, shared, spec });
  const names = async (as: string): Promise<string[]> => {
    const { body } = await call('GET', 'review-views', as);
    return (body as { items: ReviewView[] }).items.map(({ name }) => name);
  };

  it('keep filters, order and columns under a name, for oneself, a group, or everybody', async () => {
    const made = await make('Mine', null);
    expect(made).toMatchObject({ status: 201, body: { name: 'Mine', isMine: true, spec, shared: null } });
    await make('Of secops', { with: 'group', group: 'secops' });
    await make('Of all', { with: 'everybody' });
    expect(await names('alice')).toEqual(['Mine', 'Of all', 'Of secops']);
    expect(await names('bob')).toEqual(['Of all', 'Of secops']);
    expect(await names('carol')).toEqual(['Of all']);
    stage.reviewers.people = stage.reviewers.people.filter(({ personId }) => personId !== 'bob');
    expect(await names('bob')).toEqual(['Of all']);
  });

  it('are changed and deleted by their owner, shared ones by an admin too, and by nobody else', async () => {
    const mine = (await make('Mine', null)).body as ReviewView;
    const all = (await make('Of all', { with: 'everybody' })).body as ReviewView;
    const change = { name: 'Changed', spec: { ...spec, sort: 'due' }, version: 1 };
    expect((await call('PUT', `review-views/${mine.id}`, 'bob', change)).status).toBe(404);
    expect((await call('PUT', `review-views/${all.id}`, 'bob', change)).status).toBe(403);
    expect((await call('DELETE', `review-views/${mine.id}`, 'root', undefined, 'admin')).status).toBe(404);
    expect((await call('DELETE', `review-views/${all.id}`, 'root', undefined, 'admin')).status).toBe(204);
    expect(await call('PUT', `review-views/${mine.id}`, 'alice', change)).toMatchObject({
      status: 200,
      body: { name: 'Changed', version: 2, spec: { sort: 'due' } },
    });
    expect(await call('PUT', `review-views/${mine.id}`, 'alice', change)).toMatchObject({
      status: 409,
      body: { version: 2 },
    });
    expect((await call('DELETE', `review-views/${mine.id}`)).status).toBe(204);
    expect((await call('DELETE', `review-views/${mine.id}`)).status).toBe(404);
    const told = await stage.db.query(
      `SELECT action FROM audit_event WHERE action LIKE 'review_view.%' ORDER BY id`,
    );
    expect(told.map(({ action }) => action)).toEqual([
      'review_view.made',
      'review_view.made',
      'review_view.deleted',
      'review_view.changed',
      'review_view.deleted',
    ]);
  });

  it('refuse a name that is taken, a group that is not one’s own, and what no list knows', async () => {
    await make('Mine', null);
    expect((await make('mine', null)).status).toBe(409);
    expect((await make('mine', null, 'bob')).status).toBe(201);
    const both = await Promise.all([make('Twice', null), make('Twice', null)]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
    expect((await make('Of leads', { with: 'group', group: 'leads' })).status).toBe(400);
    for (const bad of [
      { ...spec, sort: 'colour' },
      { ...spec, columns: [] },
      { ...spec, columns: ['due', 'due'] },
      { ...spec, states: ['DONE'] },
      { ...spec, more: 1 },
    ])
      expect((await call('POST', 'review-views', 'alice', { name: 'x', spec: bad })).status).toBe(400);
    expect((await call('POST', 'review-views', 'alice', { name: ' ', spec })).status).toBe(400);
  });

  it('are a hundred of one person at most', async () => {
    await stage.db.query(
      `INSERT INTO review_view (id, owner_id, owner_name, name, spec, created_at, updated_at)
       SELECT gen_random_uuid(), 'alice', 'Alice', 'view ' || n, '{}', 1, 1 FROM generate_series(1, 100) n`,
    );
    expect((await make('One more', null)).status).toBe(409);
  });
});
