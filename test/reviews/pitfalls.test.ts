import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MailChannel } from '../../src/reviews/channels/mail/mail.channel.js';
import type { Review } from '../../src/reviews/review.js';
import type { ReviewCommand } from '../../src/reviews/rules/command.js';
import type { Reviewer } from '../../src/reviews/rules/review.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { eventually } from '../support/eventually.js';
import { person, reviewsStage, type ReviewsStage } from './stage.js';

/* What goes wrong with human tasks elsewhere, each as a test named after it. Others stand where their channel is tested. */

const HOUR = 3_600_000;
const release = { kind: 'decide', outcome: 'release', reason: 'known test file' } as const;
const [alice, bob, root] = [person('alice'), person('bob'), person('root', { isAdmin: true })];

let stage: ReviewsStage;
beforeEach(async () => {
  stage = await reviewsStage(() => [new MailChannel({ REVIEW_TO: [] })]);
  stage.reviewers.people = [
    { personId: 'alice', name: 'Alice', email: 'alice@example.com', groups: ['secops'] },
    { personId: 'bob', name: 'Bob', email: 'bob@example.com', groups: ['secops', 'leads'] },
  ];
});
afterEach(() => stage.close());

const act = (review: Review, command: ReviewCommand, who: Reviewer): Promise<Review> =>
  stage.reviews.act(review.id, command, who);
const kinds = async ({ id }: Review): Promise<string[]> =>
  (await reviewTimeline(stage.db, id)).map(({ kind }) => kind);
const mailed = async (): Promise<string[]> => {
  const rows = await stage.db.query<{ payload: { personId: string } }>(
    `SELECT payload FROM outbox WHERE kind = 'review.mail' ORDER BY id`,
  );
  return rows.map(({ payload }) => payload.personId);
};

describe('deadline and decision in the same millisecond', () => {
  it('one of them wins as a whole, the other is told, and the workflow hears of one', async () => {
    stage.deliver(stage.complete);
    for (let round = 1; round <= 12; round++) {
      const review = await stage.open({ deadline: '1h' });
      stage.clock.advance(HOUR);
      let said = '';
      const decide = async (): Promise<void> => {
        said = await act(review, release, alice).then(
          () => 'decided',
          (error: Error) => error.message,
        );
      };
      // By turns the one and the other is a little ahead.
      const tick = (): Promise<number> => stage.timekeeper.tick();
      await Promise.all(round % 2 === 0 ? [tick(), decide()] : [decide(), tick()]);
      const { state, decision } = await stage.reviews.get(review.id);
      if (state === 'EXPIRED') {
        expect(decision?.outcome).toBe('expired');
        expect(said).toMatch(/already chose “Expired”/);
      } else {
        expect([state, decision?.outcome, said]).toEqual(['COMPLETED', 'release', 'decided']);
        expect(await kinds(review)).not.toContain('expired');
      }
      await stage.timekeeper.tick();
      await eventually(() => stage.engine.updates.length === round);
      expect(stage.engine.updates.at(-1)?.outputData?.['outcome']).toBe(decision?.outcome);
      const left = await stage.db.query(
        'SELECT 1 FROM review_timer WHERE review_id = $1 AND fired_at IS NULL',
        [review.id],
      );
      expect(left).toEqual([]);
    }
  });
});

describe('approver leaves the group between open and click', () => {
  it('they are not asked any more, and the vote that they gave before stays with the groups it was given in', async () => {
    const review = await stage.open({ assign: { to: ['group:secops'] }, quorum: { approve: 2 } });
    await act(review, release, bob);
    stage.reviewers.people = stage.reviewers.people.map((one) => ({ ...one, groups: ['leads'] }));
    await expect(act(review, release, alice)).rejects.toThrow(/This review asks the group secops/);
    await expect(act(review, { kind: 'claim' }, alice)).rejects.toThrow(/asks the group secops/);
    const after = await stage.reviews.get(review.id);
    expect(after).toMatchObject({
      state: 'OPEN',
      votes: [{ by: { id: 'bob' }, groups: ['secops', 'leads'] }],
    });
    stage.reviewers.people = [{ personId: 'alice', name: 'Alice', groups: ['secops'] }];
    expect((await act(review, release, alice)).state).toBe('COMPLETED');
  });

  it('who lost their account is nobody’s second pair of eyes, and a claim of theirs is an admin’s to take', async () => {
    const review = await stage.open({ assign: { to: ['group:secops'] } });
    await act(review, { kind: 'claim' }, bob);
    stage.reviewers.people = stage.reviewers.people.filter(({ personId }) => personId === 'alice');
    await expect(act(review, release, alice)).rejects.toThrow(/Bob claimed this review/);
    await act(review, { kind: 'reassign', to: { id: 'alice', name: 'Alice' } }, root);
    expect((await act(review, release, alice)).state).toBe('COMPLETED');
  });
});

describe('escalation loop back to an excluded person', () => {
  it('never asks them, and never lets them decide, however often it loops', async () => {
    const review = await stage.open({
      requester: 'alice',
      fourEyes: ['requester'],
      assign: { to: ['user:bob'] },
      escalation: [
        { after: '1h', to: ['user:alice'], action: 'replace', loops: 3, every: '1h' },
        { after: '2h', to: ['group:secops'], action: 'add' },
      ],
    });
    for (let hour = 1; hour <= 4; hour++) {
      stage.clock.advance(HOUR);
      await Promise.all([stage.timekeeper.tick(), stage.timekeeper.tick()]);
      await expect(act(review, release, alice)).rejects.toThrow(/Alice may not decide here \(four eyes\)/);
      await expect(act(review, { kind: 'claim' }, alice)).rejects.toThrow(/four eyes/);
    }
    expect((await kinds(review)).filter((kind) => kind === 'escalated')).toHaveLength(4);
    // Bob was asked at the opening and is asked again with his group; Alice is never told.
    expect(await mailed()).toEqual(['bob', 'bob']);
    await expect(act(review, { kind: 'reassign', to: { id: 'alice', name: 'Alice' } }, bob)).rejects.toThrow(
      /four eyes/,
    );
    expect((await act(review, release, bob)).state).toBe('COMPLETED');
  });
});
