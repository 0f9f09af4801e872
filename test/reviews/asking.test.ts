import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Conflict, Forbidden, InvalidInput } from '../../src/errors.js';
import { MailChannel } from '../../src/reviews/channels/mail/mail.channel.js';
import type { Review } from '../../src/reviews/review.js';
import type { ReviewCommand } from '../../src/reviews/rules/command.js';
import type { Reviewer } from '../../src/reviews/rules/review.js';
import { insertAbsence } from '../../src/reviews/sql/absences.js';
import { reviewTimeline } from '../../src/reviews/sql/review-events.js';
import { eventually } from '../support/eventually.js';
import { exampleSubject, person, reviewsStage, type ReviewsStage } from './stage.js';
import { randomUUID } from 'node:crypto';

const HOUR = 3_600_000;
const release = { kind: 'decide', outcome: 'release', reason: 'known test file' } as const;
const remove = { kind: 'decide', outcome: 'delete', reason: '' } as const;
const alice = person('alice');
const bob = person('bob');
const carol = person('carol');
const root = person('root', { isAdmin: true });

let stage: ReviewsStage;
beforeEach(async () => {
  stage = await reviewsStage(() => [new MailChannel({ REVIEW_TO: [] })]);
  stage.reviewers.people = [
    { personId: 'alice', name: 'Alice', email: 'alice@example.com', groups: ['secops'] },
    { personId: 'bob', name: 'Bob', email: 'bob@example.com', groups: ['secops', 'leads'] },
    { personId: 'carol', name: 'Carol', email: 'carol@example.com', groups: ['leads'] },
    { personId: 'root', name: 'Root', groups: [], isAdmin: true },
  ];
});
afterEach(() => stage.close());

const act = (review: Review, command: ReviewCommand, who: Reviewer = alice): Promise<Review> =>
  stage.reviews.act(review.id, command, who);
const kinds = async (review: Review): Promise<string[]> =>
  (await reviewTimeline(stage.db, review.id)).map(({ kind }) => kind);
const mails = async (): Promise<
  { key: string; payload: { personId?: string; telling?: { kind: string } } }[]
> =>
  stage.db.query(
    `SELECT key, payload FROM outbox WHERE kind IN ('review.mail', 'review.digest') ORDER BY id`,
  );
const later = async (ms: number): Promise<void> => {
  stage.clock.advance(ms);
  await stage.timekeeper.tick();
};
const absent = (id: string, substitute?: string): Promise<unknown> => {
  const now = stage.clock.now();
  return insertAbsence(
    stage.db,
    {
      id: randomUUID(),
      person: { id, name: id },
      from: now,
      to: now + 48 * HOUR,
      substitute: substitute === undefined ? undefined : { id: substitute, name: substitute },
      note: '',
    },
    now,
  );
};

describe('a review that asks a group', () => {
  const secops = { assign: { to: ['group:secops'] } };

  it('lets its members decide and nobody else, and says whom it asks', async () => {
    const review = await stage.open(secops);
    await expect(act(review, release, carol)).rejects.toThrow(
      new Forbidden('This review asks the group secops. Ask one of them, or an admin.'),
    );
    await expect(act(review, { kind: 'claim' }, carol)).rejects.toThrow(Forbidden);
    expect((await act(review, release)).state).toBe('COMPLETED');
  });

  it('knows a person by what they log in with, whatever anybody calls themselves', async () => {
    stage.reviewers.people = [
      { personId: 'alice', login: 'alice', name: 'Alice A.' },
      { personId: 'bob', login: 'bob', name: 'alice' },
    ];
    const review = await stage.open({ assign: { to: ['user:alice'] } });
    await expect(act(review, release, bob)).rejects.toThrow(Forbidden);
    expect((await act(review, release)).state).toBe('COMPLETED');
  });

  it('marks the vote of an admin whom it did not ask', async () => {
    const review = await act(await stage.open(secops), release, root);
    expect(review.votes).toMatchObject([{ by: { id: 'root' }, isOverride: true }]);
    const [decided] = (await reviewTimeline(stage.db, review.id)).filter(({ kind }) => kind === 'decided');
    expect(decided?.data).toMatchObject({ override: true });
  });

  it('keeps with each vote the groups that the voter was in', async () => {
    const review = await act(await stage.open(secops), release, bob);
    stage.reviewers.people = [];
    expect((await stage.reviews.get(review.id)).votes).toMatchObject([{ groups: ['secops', 'leads'] }]);
  });

  it('says at once, not at the deadline, that too few are left, and tells the operators', async () => {
    const review = await stage.open({
      assign: { to: ['group:nobody'] },
      quorum: { approve: 1 },
      deadline: '3d',
    });
    expect(await kinds(review)).toEqual(['opened', 'nobody_eligible']);
    const alerts = await stage.db.query<{ payload: { subject: string; text: string } }>(
      `SELECT payload FROM outbox WHERE kind = 'mail'`,
    );
    expect(alerts).toHaveLength(1);
    expect(alerts[0]?.payload.text).toMatch(/asks the group nobody and needs 1 to agree; 0 may decide now/);
  });
});

describe('an approver of one queue', () => {
  it('is asked there and nowhere else, also when another queue asks their group', async () => {
    stage.reviewers.people = [
      {
        personId: 'alice',
        name: 'Alice',
        email: 'alice@example.com',
        groups: ['secops'],
        queues: ['releases'],
      },
      { personId: 'bob', name: 'Bob', email: 'bob@example.com', groups: ['secops'] },
    ];
    const elsewhere = await stage.open({ assign: { to: ['group:secops'] } });
    await expect(act(elsewhere, release)).rejects.toThrow(Forbidden);
    const there = await stage.open({ assign: { to: ['group:secops'] }, queue: 'releases' });
    expect((await act(there, release)).state).toBe('COMPLETED');
    expect((await mails()).map(({ payload }) => payload.personId)).toEqual(['bob', 'alice', 'bob']);
  });
});

describe('four eyes', () => {
  it('keep out who asked for it and who last changed the definition, an admin too', async () => {
    await stage.db.query(
      `INSERT INTO audit_event (at, actor, action, subject, data)
       VALUES (1, 'user:root', 'workflow_definition.updated', 'workflow_definition:scan_upload', '{}')`,
    );
    const review = await stage.open({ fourEyes: ['requester', 'definitionEditor'], requester: 'Alice' });
    await expect(act(review, release)).rejects.toThrow(
      /Alice may not decide here \(four eyes\): they asked for it/,
    );
    await expect(act(review, release, root)).rejects.toThrow(/they last changed the workflow that asks/);
    expect((await mails()).map(({ key }) => key.split(':')[1])).toEqual([
      'bob@example.com',
      'carol@example.com',
    ]);
    expect((await act(review, release, bob)).state).toBe('COMPLETED');
  });

  it('know the requester as whoever started the workflow', async () => {
    stage.engine.starters.set('unknown', 'user:bob');
    stage.engine.get = async () => ({ createdBy: 'user:bob' }) as never;
    const review = await stage.open({ fourEyes: ['requester'] });
    expect(review.excluded).toEqual([{ id: 'bob', name: 'Bob', because: 'requester' }]);
  });

  it('keep out who chose the person, where the definition says so', async () => {
    const review = await stage.open({ fourEyes: ['assigner'] });
    await act(review, { kind: 'reassign', to: { id: 'bob', name: 'Bob' } }, alice);
    await act(review, { kind: 'release' }, bob);
    await expect(act(review, release, alice)).rejects.toThrow(/they chose who decides/);
    expect((await act(review, release, carol)).state).toBe('COMPLETED');
  });
});

describe('a quorum of two', () => {
  const two = { assign: { to: ['group:secops', 'group:leads'] }, quorum: { approve: 2 } };

  it('is reached by two different people; the workflow hears of it once, with both votes', async () => {
    const review = await stage.open(two);
    stage.deliver(stage.complete);
    expect(await act(review, release)).toMatchObject({ state: 'OPEN', decision: undefined });
    // The same click again, and the same person through another channel, count once.
    await act(review, release);
    await act(review, release, person('alice', { via: 'mail', method: 'mail-code' }));
    expect((await stage.reviews.get(review.id)).votes).toHaveLength(1);
    const decided = await act(review, { ...release, reason: 'agreed' }, bob);
    expect(decided).toMatchObject({ state: 'COMPLETED', decision: { by: { id: 'bob' } } });
    await eventually(() => stage.engine.updates.length > 0);
    expect(stage.engine.updates).toMatchObject([
      { outputData: { outcome: 'release', votes: [{ by: 'alice' }, { by: 'bob', reason: 'agreed' }] } },
    ]);
    expect(await kinds(review)).toEqual(expect.arrayContaining(['opened', 'voted', 'decided']));
  });

  it('is not needed to refuse: one vote against ends it', async () => {
    const review = await stage.open(two);
    await act(review, release);
    expect(await act(review, remove, bob)).toMatchObject({
      decision: { outcome: 'delete', by: { id: 'bob' } },
    });
  });

  it('of a hundred votes at once takes two, and tells the others who completed it', async () => {
    const many = Array.from({ length: 100 }, (_, n) => `p${n}`);
    stage.reviewers.people = many.map((id) => ({ personId: id, name: id, groups: ['secops'] }));
    const review = await stage.open(two);
    const results = await Promise.allSettled(
      many.slice(0, 20).map((id) => stage.reviews.act(review.id, release, person(id))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    const stored = await stage.db.query(`SELECT count(*)::int AS votes FROM review_vote`);
    expect(stored).toEqual([{ votes: 2 }]);
  });

  it('lets a vote be taken back and given otherwise while it decided nothing', async () => {
    const review = await stage.open(two);
    await act(review, release);
    await expect(act(review, remove)).rejects.toThrow(/You voted “Release” .* Withdraw that vote first/);
    await act(review, { kind: 'withdraw' });
    expect((await act(review, remove)).decision?.outcome).toBe('delete');
    expect(await kinds(review)).toEqual(['opened', 'voted', 'withdrawn', 'decided']);
  });

  it('is not stopped by one who claimed it', async () => {
    const review = await stage.open(two);
    await act(review, { kind: 'claim' });
    expect((await act(review, release, bob)).votes).toHaveLength(1);
  });

  it('of everybody asks each of them', async () => {
    const review = await stage.open({ assign: { to: ['group:secops'], strategy: 'all' } });
    expect(review.policy.quorum.approve).toBe(2);
    await act(review, release);
    expect((await act(review, release, bob)).state).toBe('COMPLETED');
  });
});

describe('a review finds its person', () => {
  const opened = async (strategy: string): Promise<string | undefined> =>
    (await stage.open({ assign: { to: ['group:secops', 'group:leads'], strategy } })).claim?.by.id;

  it('in turn, the same way whatever comes at once', async () => {
    const turns = await Promise.all(Array.from({ length: 9 }, () => opened('round_robin')));
    expect(turns.map(String).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'alice',
      'alice',
      'alice',
      'bob',
      'bob',
      'bob',
      'carol',
      'carol',
      'carol',
    ]);
    expect(await opened('round_robin')).toBe('alice');
  });

  it('by who holds the fewest, also of those that come at once', async () => {
    const busy = await stage.open();
    await act(busy, { kind: 'claim' }, bob);
    const given = await Promise.all(Array.from({ length: 5 }, () => opened('least_loaded')));
    expect(given.map(String).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'alice',
      'alice',
      'bob',
      'carol',
      'carol',
    ]);
  });

  it('by who decided the last one about the same object', async () => {
    await act(await stage.open(), release, carol);
    expect(await opened('sticky')).toBe('carol');
  });

  it('and passes over who is away, or gives it to who stands in', async () => {
    await absent('alice');
    await absent('bob', 'carol');
    expect(await opened('round_robin')).toBe('carol');
    const review = await stage.open({ assign: { to: ['user:Bob'] } });
    expect((await mails()).at(-1)?.payload.personId).toBe('carol');
    const decided = await act(review, release, carol);
    expect(decided.votes).toMatchObject([{ by: { id: 'carol' }, onBehalfOf: { id: 'bob', name: 'Bob' } }]);
  });

  it('and never takes a substitute who asked for it', async () => {
    await absent('bob', 'carol');
    const review = await stage.open({
      assign: { to: ['user:Bob'] },
      fourEyes: ['requester'],
      requester: 'carol@example.com',
    });
    expect(await kinds(review)).toContain('nobody_eligible');
    await expect(act(review, release, carol)).rejects.toThrow(/four eyes/);
  });

  it('who may hand it on and stays responsible', async () => {
    const review = await stage.open({ assign: { to: ['group:secops'] } });
    await act(review, { kind: 'claim' });
    const handed = await act(review, { kind: 'delegate', to: { id: 'carol', name: 'Carol' } });
    expect(handed).toMatchObject({
      state: 'ASSIGNED',
      claim: { by: { id: 'carol' } },
      owner: { id: 'alice' },
    });
    await expect(act(review, release, bob)).rejects.toThrow(/was given to Carol/);
    const back = await act(review, { kind: 'release' }, carol);
    expect(back).toMatchObject({ claim: { by: { id: 'alice' } }, owner: undefined });
  });
});

describe('the clock', () => {
  it('ends a review that nobody decided, never as an approval, and tells the workflow that it was the clock', async () => {
    const review = await stage.open({ deadline: '4h' });
    stage.deliver(stage.complete);
    await later(4 * HOUR - 1);
    expect((await stage.reviews.get(review.id)).state).toBe('OPEN');
    await later(1);
    const expired = await stage.reviews.get(review.id);
    expect(expired).toMatchObject({
      state: 'EXPIRED',
      decision: { outcome: 'expired', method: 'expiry', by: { name: 'Sallyport' } },
    });
    await eventually(() => stage.engine.updates.length > 0);
    expect(stage.engine.updates).toMatchObject([
      { status: 'COMPLETED', outputData: { outcome: 'expired', state: 'EXPIRED', automatic: true } },
    ]);
    await expect(act(review, release)).rejects.toThrow(Conflict);
  });

  it('fails the task where the definition says so', async () => {
    await stage.open({ deadline: '4h', onExpire: 'FAIL' });
    stage.deliver(stage.complete);
    await later(4 * HOUR);
    await eventually(() => stage.engine.updates.length > 0);
    expect(stage.engine.updates).toMatchObject([
      { status: 'FAILED_WITH_TERMINAL_ERROR', reasonForIncompletion: 'Nobody decided in time.' },
    ]);
  });

  it('leaves it open where the definition says so, and notes the breach once', async () => {
    const review = await stage.open({ deadline: '4h', onExpire: 'LEAVE_OPEN' });
    await later(4 * HOUR);
    await later(HOUR);
    expect(await kinds(review)).toEqual(['opened', 'breached']);
    expect((await act(review, release)).state).toBe('COMPLETED');
  });

  it('escalates step by step, each step once, also when two nodes look at once', async () => {
    const review = await stage.open({
      assign: { to: ['user:Alice'] },
      escalation: [
        { after: '1h', to: ['user:Bob'] },
        { after: '2h', to: ['group:leads'], action: 'replace', loops: 2, every: '1h' },
      ],
    });
    await expect(act(review, release, bob)).rejects.toThrow(Forbidden);
    stage.clock.advance(HOUR);
    await Promise.all([stage.timekeeper.tick(), stage.timekeeper.tick(), stage.timekeeper.tick()]);
    await act(review, { kind: 'claim' }, alice);
    await later(HOUR);
    const moved = await stage.reviews.get(review.id);
    expect(moved).toMatchObject({ state: 'OPEN', escalated: 2, claim: undefined });
    await expect(act(review, release, alice)).rejects.toThrow(/asks the group leads/);
    await later(HOUR);
    await later(10 * HOUR);
    const told = (await mails()).map(({ payload }) => `${payload.personId} ${payload.telling?.kind}`);
    expect(told).toEqual([
      'alice opened',
      'bob escalated',
      'bob escalated',
      'carol escalated',
      'bob escalated',
      'carol escalated',
    ]);
    expect((await kinds(review)).filter((kind) => kind === 'escalated')).toHaveLength(3);
  });

  it('gives back what somebody claimed and left alone, and not what was claimed again', async () => {
    const review = await stage.open({ claimTimeout: '2h' });
    await act(review, { kind: 'claim' });
    await later(HOUR);
    await act(review, { kind: 'release' });
    await act(review, { kind: 'claim' }, bob);
    await later(HOUR);
    expect((await stage.reviews.get(review.id)).claim?.by.id).toBe('bob');
    await later(HOUR);
    expect(await stage.reviews.get(review.id)).toMatchObject({ state: 'OPEN', claim: undefined });
    expect(await kinds(review)).toContain('given_back');
  });

  it('ends a hold, and moves the deadline by it where the definition says so', async () => {
    const review = await stage.open({ deadline: '4h', holdStopsClock: true });
    const until = stage.clock.now() + 24 * HOUR;
    await act(review, { kind: 'hold', until, reason: 'the vendor is asked' });
    await later(5 * HOUR);
    expect((await stage.reviews.get(review.id)).state).toBe('ON_HOLD');
    await later(19 * HOUR);
    const woken = await stage.reviews.get(review.id);
    expect(woken).toMatchObject({ state: 'OPEN', hold: undefined, dueAt: review.createdAt + 28 * HOUR });
    await later(4 * HOUR);
    expect((await stage.reviews.get(review.id)).state).toBe('EXPIRED');
  });

  it('follows a deadline that was moved, and refuses one in the past', async () => {
    const review = await stage.open({ deadline: '4h', reminders: ['3h'] });
    await expect(act(review, { kind: 'postpone', dueAt: stage.clock.now() - 1, reason: '' })).rejects.toThrow(
      InvalidInput,
    );
    await act(review, { kind: 'postpone', dueAt: review.createdAt + 10 * HOUR, reason: 'holidays' });
    await later(5 * HOUR);
    expect((await stage.reviews.get(review.id)).state).toBe('OPEN');
    expect(await kinds(review)).toEqual(['opened', 'postponed']);
    await later(4 * HOUR);
    // 7 h 30 after the opening a quarter is left.
    expect(await kinds(review)).toEqual(['opened', 'postponed', 'due_soon', 'reminded']);
    await later(HOUR);
    expect((await stage.reviews.get(review.id)).state).toBe('EXPIRED');
  });
});

describe('a question back', () => {
  it('waits for the answer, brings it into the timeline and tells who asked', async () => {
    const review = await stage.open({ assign: { to: ['group:secops'] } });
    await act(review, { kind: 'claim' });
    const asked = await act(review, { kind: 'ask', question: 'Whose key is it?' });
    expect(asked).toMatchObject({ state: 'INFO_REQUESTED', info: { question: 'Whose key is it?' } });
    const answered = await act(review, { kind: 'answer', text: 'A test key.' }, carol);
    expect(answered).toMatchObject({ state: 'CLAIMED', claim: { by: { id: 'alice' } }, info: undefined });
    const [line] = (await reviewTimeline(stage.db, review.id)).filter(({ kind }) => kind === 'answered');
    expect(line).toMatchObject({ by: { id: 'carol' }, data: { answer: 'A test key.' } });
    expect((await mails()).at(-1)?.payload).toMatchObject({
      personId: 'alice',
      telling: { kind: 'answered' },
    });
  });
});

describe('a question that is left out', () => {
  it('needs a reason, and the workflow goes on knowing who left it out', async () => {
    const review = await stage.open();
    stage.deliver(stage.complete);
    await expect(act(review, { kind: 'skip', reason: ' ' })).rejects.toThrow(/needs a reason/);
    expect((await act(review, { kind: 'skip', reason: 'a duplicate' })).state).toBe('SKIPPED');
    await eventually(() => stage.engine.updates.length > 0);
    expect(stage.engine.updates).toMatchObject([
      { outputData: { outcome: 'skipped', state: 'SKIPPED', decidedBy: 'alice', reason: 'a duplicate' } },
    ]);
  });
});

describe('a form', () => {
  const form = {
    type: 'object',
    required: ['ticket'],
    properties: {
      ticket: { type: 'string', pattern: '^[A-Z]+-[0-9]+$' },
      days: { type: 'integer', maximum: 30 },
    },
    additionalProperties: false,
  };

  it('is checked by the server, field by field, and what was filled in reaches the workflow', async () => {
    const review = await stage.open({ form });
    stage.deliver(stage.complete);
    await expect(act(review, release)).rejects.toThrow(
      /needs its form filled in, on the web: form\.ticket: is needed/,
    );
    await expect(act(review, { ...release, form: { ticket: 'x', days: 99 } })).rejects.toThrow(
      /form\.ticket: must match pattern.*; form\.days: must be <= 30/,
    );
    await act(review, { ...release, form: { ticket: 'SEC-7' } });
    await eventually(() => stage.engine.updates.length > 0);
    expect(stage.engine.updates).toMatchObject([{ outputData: { form: { ticket: 'SEC-7' } } }]);
  });

  it('asks nothing of who refuses, and refuses what no form asked for', async () => {
    expect((await act(await stage.open({ form }), remove)).state).toBe('COMPLETED');
    await expect(act(await stage.open(), { ...release, form: { a: 1 } })).rejects.toThrow(/has no form/);
  });

  it('whose pattern runs away is stopped, and the form is refused', async () => {
    const review = await stage.open({
      form: { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } },
    });
    const began = performance.now();
    await expect(act(review, { ...release, form: { a: `${'a'.repeat(60)}!` } })).rejects.toThrow(
      InvalidInput,
    );
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('that is no schema fails its task for good, naming it', async () => {
    const open = stage.open({ form: { type: 'nonsense' } });
    await expect(open).rejects.toThrow(/input form: is no JSON Schema that can be used/);
  });
});

describe('a rescan with another result', () => {
  it('begins a new round: the votes on what was shown before no longer count', async () => {
    const review = await stage.open({ quorum: { approve: 2 } });
    await act(review, release);
    stage.evidence.later = { ...exampleSubject(), fingerprints: ['k1:5f0e', 'k1:new'], findingsTotal: 2 };
    stage.clock.advance(60_000);
    await stage.sweeper.sweep();
    const renewed = await stage.reviews.get(review.id);
    expect(renewed).toMatchObject({ round: 2, votes: [], subject: { findingsTotal: 2 } });
    expect(renewed.subjectDigest).not.toBe(review.subjectDigest);
    await expect(act(review, { ...release, digest: review.subjectDigest }, bob)).rejects.toThrow(
      /What you were shown is not what stands now/,
    );
    await act(review, { ...release, digest: renewed.subjectDigest }, bob);
    expect((await act(review, release)).state).toBe('COMPLETED');
    const votes = await stage.db.query(`SELECT round, person_id FROM review_vote ORDER BY round, person_id`);
    expect(votes).toEqual([
      { round: 1, person_id: 'alice' },
      { round: 2, person_id: 'alice' },
      { round: 2, person_id: 'bob' },
    ]);
  });

  it('with the same result changes nothing', async () => {
    const review = await stage.open();
    stage.evidence.later = { ...exampleSubject(), verdict: 'secrets', reason: 'secrets_found' };
    stage.clock.advance(60_000);
    await stage.sweeper.sweep();
    expect(await stage.reviews.get(review.id)).toMatchObject({ round: 1, version: 1 });
  });
});

describe('reminders', () => {
  it('go to who has it, else to everybody whom it asks, and not while it is on hold', async () => {
    const review = await stage.open({ assign: { to: ['group:secops'] }, reminders: ['1h', '2h', '3h'] });
    await later(HOUR);
    await act(review, { kind: 'claim' }, bob);
    await later(HOUR);
    await act(review, { kind: 'hold', until: stage.clock.now() + 5 * HOUR, reason: '' }, bob);
    await later(HOUR);
    const told = (await mails()).map(({ payload }) => `${payload.personId} ${payload.telling?.kind}`);
    expect(told).toEqual(['alice opened', 'bob opened', 'alice reminder', 'bob reminder', 'bob reminder']);
  });

  it('of 500 reviews after three hours of outage come as one digest for each person, none twice', async () => {
    for (let n = 0; n < 500; n += 1)
      await stage.open({ assign: { to: ['group:secops'] }, reminders: ['30m', '60m', '90m'] });
    stage.clock.advance(3 * HOUR);
    await Promise.all([stage.timekeeper.tick(), stage.timekeeper.tick()]);
    await stage.timekeeper.tick();
    const rows = await stage.db.query(
      `SELECT kind, count(*)::int AS count, max(json_array_length(payload->'reviewIds')) AS about
         FROM outbox WHERE payload->'telling'->>'kind' IS DISTINCT FROM 'opened' AND kind LIKE 'review.%' GROUP BY kind`,
    );
    expect(rows).toEqual([{ kind: 'review.digest', count: 2, about: 500 }]);
    const [open] = await stage.db.query(`SELECT count(*)::int AS n FROM review_timer WHERE fired_at IS NULL`);
    expect(open).toEqual({ n: 0 });
  }, 120_000);
});
