import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '../../src/errors.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { eventually } from '../support/eventually.js';
import { person, reviewsStage, type ReviewsStage } from './stage.js';

const release = { kind: 'decide', outcome: 'release', reason: 'known test file' } as const;

describe('a decision', () => {
  let stage: ReviewsStage;
  beforeEach(async () => {
    stage = await reviewsStage();
  });
  afterEach(() => stage.close());

  it('of a hundred at once is made exactly once, and ninety-nine are told who and when', async () => {
    const review = await stage.open();
    stage.deliver(stage.complete);
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, (_, n) => stage.reviews.act(review.id, release, person(`person${n}`))),
    );
    const won = results.filter((result) => result.status === 'fulfilled');
    expect(won).toHaveLength(1);
    const winner = won[0]?.value.decision?.by;
    const lost = results
      .filter((result) => result.status === 'rejected')
      .map((result) => result.reason as unknown);
    expect(lost).toHaveLength(99);
    for (const error of lost) {
      expect(error).toBeInstanceOf(Conflict);
      expect((error as Conflict).details).toMatchObject({
        winner,
        at: '2026-11-23T09:00:00.000Z',
        outcome: 'release',
      });
    }
    await eventually(() => stage.engine.updates.length > 0);
    const rows = await stage.db.query(`SELECT (SELECT count(*) FROM review_vote)::int AS votes,
      (SELECT count(*) FROM outbox WHERE kind = 'engine.complete')::int AS completions,
      (SELECT count(*) FROM audit_event WHERE action = 'review.decided')::int AS audited`);
    expect(rows).toEqual([{ votes: 1, completions: 1, audited: 1 }]);
    expect(stage.engine.updates).toHaveLength(1);
  });

  it('in the same millisecond as its opposite wins or loses as a whole', async () => {
    for (let round = 0; round < 10; round++) {
      const review = await stage.open();
      const both = await Promise.allSettled([
        stage.reviews.act(review.id, release, person('alice')),
        stage.reviews.act(review.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob')),
      ]);
      expect(both.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
      const stored = await stage.reviews.get(review.id);
      const winner = both[0].status === 'fulfilled' ? 'alice' : 'bob';
      expect(stored.decision?.by.id).toBe(winner);
    }
  });

  it('reaches the workflow with who, when and why', async () => {
    const review = await stage.open();
    stage.deliver(stage.complete);
    await stage.reviews.act(review.id, release, person('alice'));
    await eventually(async () => (await stage.reviews.get(review.id)).completion === 'applied');
    expect(stage.engine.updates).toMatchObject([
      {
        taskId: review.taskId,
        workflowInstanceId: review.workflowId,
        status: 'COMPLETED',
        outputData: {
          outcome: 'release',
          reviewId: review.id,
          decidedBy: 'alice',
          decidedAt: '2026-11-23T09:00:00.000Z',
          reason: 'known test file',
        },
      },
    ]);
    expect(stage.ledger.decisions).toMatchObject([
      { reviewId: review.id, outcome: 'release', by: person('alice').name },
    ]);
    const timeline = await reviewTimeline(stage.db, review.id);
    expect(timeline.map((event) => event.kind)).toEqual(['opened', 'decided', 'completed']);
  });

  it('whose process died before the engine heard resumes the workflow exactly once', async () => {
    const review = await stage.open();
    await stage.reviews.act(review.id, release, person('alice'));
    // A process took the row and is gone: the row stays `sending` until its lease ends.
    await stage.db.query(
      `UPDATE outbox SET state = 'sending', lease_owner = 'dead', attempt = 1, due_at = $1 WHERE kind = 'engine.complete'`,
      [stage.clock.now() + 10_000],
    );
    stage.clock.advance(11_000);
    stage.deliver(stage.complete);
    await eventually(async () => (await stage.reviews.get(review.id)).completion === 'applied');
    expect(stage.engine.updates).toHaveLength(1);
  });

  it('whose answer from the engine was lost is not taken for somebody else’s', async () => {
    const review = await stage.open();
    let lost = 0;
    stage.engine.afterUpdate = () => {
      lost += 1;
      throw new Error('the connection broke after the commit');
    };
    await stage.reviews.act(review.id, release, person('alice'));
    stage.deliver(stage.complete);
    await eventually(() => lost === 1);
    await eventually(async () => {
      stage.clock.advance(1000);
      stage.bell.ring();
      return (await stage.reviews.get(review.id)).completion === 'applied';
    });
    expect(stage.engine.updates).toHaveLength(1);
  });

  it('that comes after the workflow went on is kept and marked late', async () => {
    const review = await stage.open();
    await stage.reviews.act(review.id, release, person('alice'));
    stage.engine.end(review.taskId, 'CANCELED');
    stage.deliver(stage.complete);
    const marked = await eventually(async () => {
      const stored = await stage.reviews.get(review.id);
      return stored.completion === 'late' && stored;
    });
    expect(marked.completionNote).toBe('the task was already CANCELED');
    expect(stage.engine.updates).toHaveLength(0);
    expect(stage.ledger.decisions).toHaveLength(0);
  });

  it.each(['release', 'delete'])(
    'is not taken for applied when somebody else ended the task in the name of its review: %s',
    async (outcome) => {
      const review = await stage.open();
      await stage.reviews.act(review.id, release, person('alice'));
      const forged = { outcome, reviewId: review.id, decidedBy: 'alice', decidedByName: 'Alice' };
      stage.engine.end(review.taskId, 'COMPLETED', forged);
      stage.deliver(stage.complete);
      const marked = await eventually(async () => {
        const stored = await stage.reviews.get(review.id);
        return stored.completion !== 'pending' && stored;
      });
      expect(marked.completion).toBe('late');
      expect(marked.completionNote).toBe('the task was already COMPLETED');
      expect(stage.ledger.decisions).toHaveLength(0);
    },
  );

  it('reaches a task whose report of progress names its review', async () => {
    const review = await stage.open();
    await stage.reviews.act(review.id, release, person('alice'));
    stage.engine.end(review.taskId, 'IN_PROGRESS', { reviewId: review.id });
    stage.deliver(stage.complete);
    await eventually(async () => (await stage.reviews.get(review.id)).completion === 'applied');
    expect(stage.engine.updates).toHaveLength(1);
  });

  it('on a task that has ended is refused with the reason, and the review is closed', async () => {
    const review = await stage.open();
    stage.engine.end(review.taskId, 'CANCELED');
    await expect(stage.reviews.act(review.id, release, person('alice'))).rejects.toThrow(
      /no longer waits for this decision: the workflow went on without it \(task CANCELED\)/,
    );
    expect((await stage.reviews.get(review.id)).state).toBe('CANCELLED');
  });
});

describe('an open review', () => {
  let stage: ReviewsStage;
  beforeEach(async () => {
    stage = await reviewsStage();
  });
  afterEach(() => stage.close());

  it('is opened once however often the task is handed out', async () => {
    const review = await stage.open();
    const task = await stage.engine.getTask(review.taskId);
    const context = { signal: new AbortController().signal, log: () => undefined };
    const outcomes = await Promise.all([1, 2, 3].map(() => stage.worker.execute(task, context)));
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['parked', 'parked', 'parked']);
    const [row] = await stage.db.query(
      `SELECT (SELECT count(*) FROM review)::int AS reviews,
              (SELECT count(*) FROM audit_event WHERE action = 'review.opened')::int AS audited`,
    );
    expect(row).toEqual({ reviews: 1, audited: 1 });
  });

  it('is closed by the sweep when its workflow ended otherwise', async () => {
    const ended = await stage.open();
    const waiting = await stage.open();
    stage.engine.end(ended.taskId, 'CANCELED');
    const sweeper = stage.sweeper;
    stage.clock.advance(60_000);
    expect(await sweeper.sweep()).toBe(1);
    expect((await stage.reviews.get(ended.id)).state).toBe('CANCELLED');
    expect((await stage.reviews.get(waiting.id)).state).toBe('OPEN');
    expect(await sweeper.sweep()).toBe(0);
  });

  it('refuses a HUMAN task whose input is no question, for good', async () => {
    await expect(stage.open({ outcomes: ['release', 'release'] })).rejects.toThrow(
      /input outcomes: names an outcome twice/,
    );
  });
});
