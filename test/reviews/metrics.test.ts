import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import fc from 'fast-check';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gapsBetween } from '../../src/reviews/metrics/gaps.js';
import { ReviewQueueGauges } from '../../src/reviews/metrics/queue-gauges.js';
import { ReviewQueueReadings } from '../../src/reviews/metrics/queue-readings.js';
import { ReviewQueueRecorder } from '../../src/reviews/metrics/queue-recorder.js';
import { QUEUE_FIGURES } from '../../src/reviews/sql/queue-figures.js';
import { reviewsApp } from './app.js';
import { person, reviewsStage, type ReviewsStage } from './stage.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const log = pino({ level: 'silent' });

let stage: ReviewsStage;
beforeEach(async () => {
  stage = await reviewsStage();
});
afterEach(() => stage.close());

const decide = (id: string, who = 'alice') =>
  stage.reviews.act(id, { kind: 'decide', outcome: 'delete', reason: 'not ours' }, person(who));
const read = () => new ReviewQueueReadings(stage.db, stage.clock).current();
const figuresOf = async (queue: string) => (await read()).queues.find((one) => one.queue === queue);

describe('the figures of a review queue', () => {
  it('count what waits, since when, and what is past its deadline or soon will be', async () => {
    await stage.open({ queue: 'quarantine', deadline: '4h' });
    await stage.open({ queue: 'quarantine' });
    const claimed = await stage.open({ queue: 'quarantine', deadline: '3d' });
    await stage.reviews.act(claimed.id, { kind: 'claim' }, person('bob'));
    const openedAt = stage.clock.now();

    expect(await figuresOf('quarantine')).toMatchObject({
      waiting: 3,
      unclaimed: 2,
      oldestAt: openedAt,
      breached: 0,
      dueSoon: 0,
      arrived: 3,
    });
    stage.clock.advance(3 * HOUR);
    expect(await figuresOf('quarantine')).toMatchObject({ dueSoon: 1, breached: 0 });
    stage.clock.advance(HOUR + 1);
    expect(await figuresOf('quarantine')).toMatchObject({ dueSoon: 0, breached: 1 });
  });

  it('call nothing breached whose clock stands still', async () => {
    const review = await stage.open({ deadline: '1h', holdStopsClock: true });
    const until = stage.clock.now() + DAY;
    await stage.reviews.act(review.id, { kind: 'hold', until, reason: 'a holiday' }, person('alice'));
    stage.clock.advance(2 * HOUR);
    expect(await figuresOf('default')).toMatchObject({ waiting: 1, breached: 0, dueSoon: 0 });
  });

  it('tell how long until somebody took it up and until it was decided, whichever came first kept', async () => {
    for (const minutes of [10, 20, 60]) {
      const review = await stage.open();
      stage.clock.advance(minutes * MINUTE);
      await stage.reviews.act(review.id, { kind: 'claim' }, person('alice'));
      await stage.reviews.act(review.id, { kind: 'release' }, person('alice'));
      stage.clock.advance(minutes * MINUTE);
      await stage.reviews.act(review.id, { kind: 'claim' }, person('bob'));
      await decide(review.id, 'bob');
    }
    const unclaimed = await stage.open();
    stage.clock.advance(30 * MINUTE);
    await decide(unclaimed.id);
    expect(await figuresOf('default')).toMatchObject({
      waiting: 0,
      oldestAt: null,
      arrived: 4,
      decided: 4,
      // 10, 20, 30 and 60 minutes; 20, 30, 40 and 120.
      secondsToClaim: { count: 4, p50: 25 * 60, p90: 51 * 60 },
      secondsToDecide: { count: 4, p50: 35 * 60, p90: 96 * 60 },
    });
  });

  it('tell decisions from what was skipped, ended by the clock or by its workflow', async () => {
    const skipped = await stage.open();
    await stage.reviews.act(skipped.id, { kind: 'skip', reason: 'asked twice' }, person('alice'));
    await stage.open({ deadline: '1h' });
    const ended = await stage.open();
    stage.engine.end(ended.taskId, 'CANCELED');
    stage.clock.advance(HOUR);
    await stage.timekeeper.tick();
    await stage.sweeper.sweep();
    expect(await figuresOf('default')).toMatchObject({
      waiting: 0,
      decided: 0,
      skipped: 1,
      expired: 1,
      cancelled: 1,
      late: 1,
      secondsToDecide: { count: 0, p50: null, p90: null },
    });
  });

  it('forget what happened more than a day ago', async () => {
    const review = await stage.open({ queue: 'quarantine' });
    await decide(review.id);
    stage.clock.advance(DAY + 1);
    expect(await figuresOf('quarantine')).toBeUndefined();
  });

  it('are counted once for many who ask at the same time', async () => {
    const readings = new ReviewQueueReadings(stage.db, stage.clock);
    const all = await Promise.all(Array.from({ length: 50 }, () => readings.current()));
    expect(new Set(all).size).toBe(1);
  });
});

describe('with 20,000 ended reviews and 1,000 that wait in 100 queues', () => {
  it('the figures are read through indexes, and little of what ended', async () => {
    const now = stage.clock.now();
    await stage.db.query(
      `INSERT INTO review (id, task_id, workflow_id, title, outcomes, subject, subject_digest, state, queue, created_at,
                           updated_at, checked_at, outcome, decided_at, taken_at, due_at)
       SELECT gen_random_uuid(), 't' || n, 'w', 'a question', '{a,b}', '{}', 'd',
              CASE WHEN n <= 1000 THEN 'OPEN' ELSE 'COMPLETED' END, 'q' || n % 100,
              at, at, at, CASE WHEN n > 1000 THEN 'a' END, CASE WHEN n > 1000 THEN at + 60000 END,
              CASE WHEN n > 1000 THEN at + 30000 END, at + 3600000
         FROM (SELECT n, $1::bigint - n * 120000::bigint AS at FROM generate_series(1, 21000) n) given`,
      [now],
    );
    await stage.db.query('ANALYZE review');
    const [row] = await stage.db.query<{ 'QUERY PLAN': object }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${QUEUE_FIGURES}`,
      [now, now - DAY, now + 1, null, 501],
    );
    const plan = JSON.stringify(row?.['QUERY PLAN']);
    expect(plan).not.toContain('Seq Scan');
    for (const index of ['review_created', 'review_taken', 'review_ended']) expect(plan).toContain(index);
    const { queues } = await read();
    expect(queues).toHaveLength(100);
    expect(queues.reduce((sum, { waiting }) => sum + waiting, 0)).toBe(1000);
  });
});

describe('the history of review queues', () => {
  const recorder = () => new ReviewQueueRecorder({ ROLES: ['engine'] }, log, stage.db, stage.clock);
  const hours = () =>
    stage.db.query<{ queue: string; from_at: string }>(
      'SELECT queue, from_at FROM review_queue_hour ORDER BY from_at, queue',
    );

  it('has one row for each queue and hour, though several nodes measure at once', async () => {
    await stage.open({ queue: 'a' });
    await stage.open({ queue: 'b' });
    stage.clock.advance(HOUR + MINUTE);
    const wrote = await Promise.all(Array.from({ length: 6 }, () => recorder().record()));
    expect(wrote.filter(Boolean)).toHaveLength(1);
    expect((await hours()).map(({ queue }) => queue)).toEqual(['a', 'b']);
  });

  it('waits until what the hour brought is committed, and measures it once', async () => {
    await stage.open();
    stage.clock.advance(HOUR);
    const one = recorder();
    expect(await one.record()).toBe(false);
    stage.clock.advance(30_000);
    expect(await one.record()).toBe(true);
    expect(await one.record()).toBe(false);
  });

  it('has a gap where nobody ran, and zeros where nothing happened', async () => {
    const { app } = await reviewsApp(stage);
    const start = stage.clock.now();
    const review = await stage.open({ queue: 'quarantine' });
    await decide(review.id);
    stage.clock.advance(HOUR + MINUTE);
    await recorder().record();
    // Three hours in which the service was down; then it runs again, long after the hour ended.
    stage.clock.advance(3 * HOUR + 30 * MINUTE);
    expect(await recorder().record()).toBe(false);
    stage.clock.advance(30 * MINUTE);
    expect(await recorder().record()).toBe(true);
    const { body } = await call(app, 'metrics/history?queue=quarantine');
    await app.close();
    expect(body).toMatchObject({
      intervalSeconds: 3600,
      items: [
        { from: iso(start), to: iso(start + HOUR), arrived: 1, decided: 1 },
        { from: iso(start + 4 * HOUR), arrived: 0, decided: 0, waiting: 0 },
      ],
      gaps: [{ from: iso(start + HOUR), to: iso(start + 4 * HOUR) }],
    });
  });

  it('keeps 90 days', async () => {
    await stage.open();
    stage.clock.advance(HOUR + MINUTE);
    await recorder().record();
    stage.clock.advance(91 * DAY);
    await recorder().record();
    expect(await hours()).toHaveLength(1);
    expect(await stage.db.query('SELECT from_at FROM review_hour')).toHaveLength(1);
  });

  it('has gaps that with the measured hours cover the span once, for any hours', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 50 })),
        fc.integer({ min: 0, max: 50 }),
        (hoursOf, n) => {
          const starts = hoursOf.toSorted((a, b) => a - b).filter((at) => at < n);
          const gaps = gapsBetween({ from: 0, to: n }, starts, 1);
          const covered = [...starts, ...gaps.flatMap(({ from, to }) => range(from, to))];
          expect(covered.toSorted((a, b) => a - b)).toEqual(range(0, n));
          for (const { from, to } of gaps) expect(from).toBeLessThan(to);
        },
      ),
    );
  });
});

describe('the metrics over HTTP', () => {
  let app: NestFastifyApplication;
  beforeEach(async () => {
    ({ app } = await reviewsApp(stage));
  });
  afterEach(() => app.close());

  it('tell a grant holder of their queues alone', async () => {
    await stage.open({ queue: 'quarantine' });
    await stage.open({ queue: 'payroll' });
    const all = await call(app, 'metrics');
    expect(all.body['queues']).toHaveLength(2);
    const own = await call(app, 'metrics', { 'x-test-roles': 'viewer', 'x-test-grants': 'payroll' });
    expect(own.body['queues']).toMatchObject([{ queue: 'payroll', waiting: 1 }]);
    const other = await call(app, 'metrics/history?queue=quarantine', {
      'x-test-roles': 'viewer',
      'x-test-grants': 'payroll',
    });
    expect(other).toMatchObject({ status: 403, body: { detail: expect.stringContaining('quarantine') } });
    expect((await call(app, 'metrics', { 'x-test-roles': 'viewer' })).status).toBe(403);
  });

  it('name nobody', async () => {
    const review = await stage.open();
    await stage.reviews.act(review.id, { kind: 'claim' }, person('alice'));
    await decide(review.id);
    expect(JSON.stringify((await call(app, 'metrics')).body).toLowerCase()).not.toContain('alice');
  });

  it.each([
    ['metrics/history', 'queue'],
    ['metrics/history?queue=a&from=yesterday', 'from'],
    ['metrics/history?queue=a&from=2026-11-23T00:00:00Z&to=2026-11-22T00:00:00Z', 'from'],
    ['metrics/history?queue=a&from=2026-01-01T00:00:00Z&to=2026-11-22T00:00:00Z', 'from'],
    ['metrics/history?queue=a%00b', 'queue'],
  ])('answer %s with 400, naming %s', async (path, field) => {
    const { status, body } = await call(app, path);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(field);
  });
});

describe('the metrics for Prometheus', () => {
  const scrape = async (registry: Registry): Promise<string> => registry.metrics();
  const gauges = (): Registry => {
    const registry = new Registry();
    void new ReviewQueueGauges(registry, log, new ReviewQueueReadings(stage.db, stage.clock), stage.clock);
    return registry;
  };

  it('hold what waits, its age, and the quantiles, by queue', async () => {
    await stage.open({ queue: 'quarantine' });
    const decided = await stage.open({ queue: 'quarantine' });
    stage.clock.advance(MINUTE);
    await decide(decided.id);
    const text = await scrape(gauges());
    expect(text).toContain('sallyport_reviews_waiting{queue="quarantine"} 1');
    expect(text).toContain('sallyport_reviews_oldest_age_seconds{queue="quarantine"} 60');
    expect(text).toContain('sallyport_reviews_arrived_24h{queue="quarantine"} 2');
    expect(text).toContain('sallyport_reviews_ended_24h{queue="quarantine",how="decided"} 1');
    expect(text).toContain('sallyport_reviews_seconds_to_decide_24h{queue="quarantine",quantile="0.9"} 60');
  });

  it('stay bounded, and their sum right, however many queues somebody invents', async () => {
    const now = stage.clock.now();
    await stage.db.query(
      `INSERT INTO review (id, task_id, workflow_id, title, outcomes, subject, subject_digest, queue, created_at,
                           updated_at, checked_at)
       SELECT gen_random_uuid(), 't' || n, 'w', 'a question', '{a}', '{}', 'd', 'q' || n, $1, $1, $1
         FROM generate_series(1, 450) n`,
      [now],
    );
    const text = await scrape(gauges());
    const lines = text.split('\n').filter((line) => line.startsWith('sallyport_reviews_waiting{'));
    expect(lines).toHaveLength(201);
    expect(lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)).toBe(450);
    expect(text).toContain('sallyport_reviews_waiting{queue="other"} 250');
  });
});

async function call(
  app: NestFastifyApplication,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await app.inject({
    method: 'GET',
    url: `/api/v1/reviews/${path}`,
    headers: { 'x-test-user': 'alice', ...headers },
  });
  return { status: response.statusCode, body: response.json() };
}

const iso = (at: number): string => new Date(at).toISOString();
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
