import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MailChannel } from '../../src/reviews/channels/mail/mail.channel.js';
import { insertAbsence } from '../../src/reviews/sql/absences.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { exampleSubject, person, reviewsStage, type ReviewsStage } from './stage.js';

const DAY = 86_400_000;
const release = { kind: 'decide', outcome: 'release', reason: 'rotated, and known' } as const;

const channels = () => [new MailChannel({ REVIEW_TO: [] })];
let stage: ReviewsStage;
beforeEach(async () => {
  stage = await reviewsStage(channels);
  stage.reviewers.people = ['alice', 'bob', 'carol', 'dave'].map((id) => ({
    personId: id,
    name: id.charAt(0).toUpperCase() + id.slice(1),
    email: `${id}@example.com`,
    groups: id === 'dave' ? ['leads'] : id === 'carol' ? ['platform'] : ['secops'],
  }));
});
afterEach(() => stage.close());

it('a review of sixty days has one timeline and sends nothing twice: reminders, escalation, absence, hand-over, rescan, restarts', async () => {
  const started = stage.clock.now();
  const review = await stage.open({
    assign: { to: ['group:secops'] },
    quorum: { approve: 2 },
    deadline: '60d',
    reminders: ['7d', '14d', '21d', '28d', '35d', '42d', '49d'],
    escalation: [{ after: '30d', to: ['group:leads'], loops: 3, every: '1w' }],
    onExpire: { action: 'REJECT', outcome: 'keep' },
  });
  const day = (n: number): number => started + n * DAY;
  /** A restart: the processes are new, and only the rows are left. */
  const restart = async (): Promise<void> => {
    const before = { clock: stage.clock.now(), people: stage.reviewers.people, later: stage.evidence.later };
    await stage.close();
    stage = await reviewsStage(channels, stage.engine);
    stage.clock.advance(before.clock - stage.clock.now());
    stage.reviewers.people = before.people;
    stage.evidence.later = before.later;
  };
  const until = async (target: number): Promise<void> => {
    while (stage.clock.now() < target) {
      stage.clock.advance(Math.min(6 * 3_600_000, target - stage.clock.now()));
      // Two nodes look at the same time.
      await Promise.all([stage.timekeeper.tick(), stage.timekeeper.tick(), stage.sweeper.sweep()]);
    }
  };

  await until(day(5));
  await stage.reviews.act(review.id, { kind: 'claim' }, person('alice'));
  await until(day(10));
  await restart();
  await stage.reviews.act(review.id, { kind: 'reassign', to: { id: 'bob', name: 'Bob' } }, person('alice'));
  await insertAbsence(
    stage.db,
    {
      id: randomUUID(),
      person: { id: 'bob', name: 'Bob' },
      from: day(12),
      to: day(40),
      substitute: { id: 'carol', name: 'Carol' },
      note: 'parental leave',
    },
    stage.clock.now(),
  );
  await until(day(20));
  await stage.reviews.act(review.id, release, person('carol'));
  await restart();
  await until(day(33));
  stage.evidence.later = { ...exampleSubject(), fingerprints: ['k1:5f0e', 'k1:another'], findingsTotal: 2 };
  await until(day(45));
  await restart();
  await until(day(55));
  const renewed = await stage.reviews.get(review.id);
  expect(renewed).toMatchObject({ round: 2, votes: [], dueAt: day(60) });
  await stage.reviews.act(review.id, release, person('bob'));
  const decided = await stage.reviews.act(review.id, release, person('dave'));
  expect(decided.state).toBe('COMPLETED');
  await until(day(70));

  const timeline = await reviewTimeline(stage.db, review.id);
  expect(timeline.map(({ kind, at }) => `${Math.round((at - started) / DAY)} ${kind}`)).toEqual([
    '0 opened',
    '5 claimed',
    '7 reminded',
    '10 reassigned',
    '14 reminded',
    '20 voted',
    '21 reminded',
    '28 reminded',
    '30 escalated',
    '33 renewed',
    '35 reminded',
    '37 escalated',
    '42 reminded',
    '44 escalated',
    '45 due_soon',
    '49 reminded',
    '55 voted',
    '55 decided',
  ]);
  const sent = await stage.db.query<{ key: string }>(
    `SELECT key FROM outbox WHERE kind = 'review.mail' ORDER BY id`,
  );
  expect(new Set(sent.map(({ key }) => key)).size).toBe(sent.length);
  // What was bob's came to who stood in for him, and back to him.
  const reminders = sent.map(({ key }) => /:(\w+)@example.com:reminder-(\d)/.exec(key)?.slice(1).join(' '));
  expect(reminders.filter((one) => one !== undefined)).toEqual([
    'alice 0',
    'carol 1',
    'carol 2',
    'carol 3',
    'carol 4',
    'bob 5',
    'bob 6',
  ]);
  const votes = await stage.db.query(
    `SELECT round, person_id, on_behalf_of FROM review_vote ORDER BY round, person_id`,
  );
  expect(votes).toEqual([
    { round: 1, person_id: 'carol', on_behalf_of: 'bob' },
    { round: 2, person_id: 'bob', on_behalf_of: null },
    { round: 2, person_id: 'dave', on_behalf_of: null },
  ]);
  const left = await stage.db.query(`SELECT kind FROM review_timer WHERE fired_at IS NULL`);
  expect(left).toEqual([]);
}, 120_000);
