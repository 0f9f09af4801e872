import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeFacts } from '../../src/reviews/rules/outcome.js';
import { EXPIRY_ACTIONS, PLAIN_POLICY, type Policy } from '../../src/reviews/rules/policy.js';
import { REVIEW_STATES, WAITING_STATES, type ReviewStanding } from '../../src/reviews/rules/review.js';
import type { ReviewCommand } from '../../src/reviews/rules/command.js';
import { transition } from '../../src/reviews/rules/transition.js';
import { subjectDigest } from '../../src/reviews/subject-digest.js';
import { exampleSubject, person, UNTOUCHED } from './stage.js';

const fresh: ReviewStanding = {
  id: 'r1',
  state: 'OPEN',
  version: 1,
  outcomes: ['release', 'delete'],
  subjectDigest: 'd1',
  ...UNTOUCHED,
};
const ENDS = REVIEW_STATES.filter((state) => !WAITING_STATES.includes(state));
const alice = person('alice');
const bob = person('bob');
const admin = person('root', { isAdmin: true });

function after(review: ReviewStanding, command: ReviewCommand, who = alice, now = 10): ReviewStanding {
  const result = transition(review, command, who, now);
  if (result.kind !== 'applied') throw new Error(JSON.stringify(result));
  return result.next;
}
const refusal = (review: ReviewStanding, command: ReviewCommand, who = alice) => {
  const result = transition(review, command, who, 99);
  return result.kind === 'refused' ? result.refusal : result.kind;
};

describe('the rules of a review', () => {
  const release = { kind: 'decide', outcome: 'release', reason: 'known test file' } as const;

  it('lets one person hold it and tells the others who', () => {
    const held = after(fresh, { kind: 'claim' });
    expect(held).toMatchObject({ state: 'CLAIMED', version: 2, claim: { by: { id: 'alice' }, at: 10 } });
    expect(refusal(held, { kind: 'claim' })).toBe('unchanged');
    expect(refusal(held, { kind: 'claim' }, bob)).toMatchObject({
      why: 'claimed',
      winner: { id: 'alice' },
      at: 10,
    });
    expect(refusal(held, release, bob)).toMatchObject({ why: 'claimed' });
    expect(refusal(held, { kind: 'release' }, bob)).toMatchObject({ why: 'claimed' });
  });

  it.each(['apikey', 'token'])(
    'lets a key (%s) grant nothing where different people must look, and refuse',
    (method) => {
      const key = person('key', { via: 'api', method });
      const two = {
        ...PLAIN_POLICY,
        rejecting: ['delete'],
        quorum: { approve: 2, reject: 1, distinctGroups: false },
      };
      const eyes: Policy = { ...PLAIN_POLICY, rejecting: ['delete'], fourEyes: ['requester'] };
      for (const policy of [two, eyes]) {
        const asked = { ...fresh, policy };
        expect(refusal(asked, release, key)).toEqual({ why: 'no_person', outcome: 'release' });
        expect(after(asked, { kind: 'decide', outcome: 'delete', reason: '' }, key).state).toBe('COMPLETED');
        expect(refusal(asked, release)).toBe('applied');
      }
      expect(refusal(fresh, release, key)).toBe('applied');
    },
  );

  it('gives a claim back, also by an admin', () => {
    const held = after(fresh, { kind: 'claim' });
    expect(after(held, { kind: 'release' }, admin)).toMatchObject({ state: 'OPEN', claim: undefined });
    expect(refusal(fresh, { kind: 'release' })).toMatchObject({ why: 'not_claimed' });
  });

  it('hands a claim on to another person', () => {
    const held = after(fresh, { kind: 'claim' });
    const moved = after(held, { kind: 'reassign', to: { id: 'bob', name: 'Bob' } });
    expect(moved.claim?.by.id).toBe('bob');
    expect(refusal(moved, release)).toMatchObject({ why: 'claimed', winner: { id: 'bob' } });
  });

  it('is given to nobody by who may not decide it, themselves included', () => {
    const asked = { ...PLAIN_POLICY, to: [{ kind: 'group' as const, name: 'leads' }] };
    const forLeads = { ...fresh, policy: asked };
    for (const to of ['alice', 'bob'])
      expect(refusal(forLeads, { kind: 'reassign', to: { id: to, name: to } })).toMatchObject({
        why: 'not_asked',
      });
    const own = { ...fresh, excluded: [{ id: 'alice', name: 'Alice', because: 'requester' as const }] };
    expect(refusal(own, { kind: 'reassign', to: { id: 'bob', name: 'Bob' } })).toMatchObject({
      why: 'excluded',
    });
    const lead = { ...alice, groups: ['leads'] };
    expect(after(forLeads, { kind: 'reassign', to: { id: 'bob', name: 'Bob' } }, lead).claim?.by.id).toBe(
      'bob',
    );
    expect(after(forLeads, { kind: 'reassign', to: { id: 'bob', name: 'Bob' } }, admin).claim?.by.id).toBe(
      'bob',
    );
  });

  it('is decided once, and answers the same click again like the first time', () => {
    const decided = after(fresh, release);
    expect(decided).toMatchObject({
      state: 'COMPLETED',
      decision: { outcome: 'release', by: { id: 'alice' } },
    });
    expect(refusal(decided, release)).toBe('unchanged');
    expect(refusal(decided, { ...release, outcome: 'delete' })).toMatchObject({ why: 'decided' });
    expect(refusal(decided, release, bob)).toMatchObject({ why: 'decided', winner: { id: 'alice' }, at: 10 });
    expect(refusal(decided, { kind: 'claim' }, bob)).toMatchObject({ why: 'decided' });
  });

  it('needs a reason for a release and none for a deletion', () => {
    expect(refusal(fresh, { ...release, reason: '  ' })).toMatchObject({ why: 'reason_required' });
    expect(after(fresh, { kind: 'decide', outcome: 'delete', reason: '' }).state).toBe('COMPLETED');
  });

  it('takes a decision only on what was shown', () => {
    expect(refusal(fresh, { ...release, digest: 'another' })).toMatchObject({ why: 'stale', digest: 'd1' });
    expect(after(fresh, { ...release, digest: 'd1' }).state).toBe('COMPLETED');
  });

  it('refuses an outcome that the question does not offer', () => {
    expect(refusal(fresh, { ...release, outcome: 'explode' })).toMatchObject({ why: 'unknown_outcome' });
  });

  it('takes nothing more once it is cancelled', () => {
    const closed = after(fresh, { kind: 'cancel', reason: 'terminated' });
    expect(refusal(closed, release)).toMatchObject({ why: 'cancelled', reason: 'terminated' });
  });

  it('never leaves an end, whatever is asked in whatever order, and raises the version with each change', () => {
    const who = fc.constantFrom(alice, bob, admin);
    const command: fc.Arbitrary<ReviewCommand> = fc.oneof(
      fc.constantFrom<ReviewCommand>(
        { kind: 'withdraw' },
        { kind: 'skip', reason: 'not ours' },
        { kind: 'hold', until: 50, reason: 'waits for the vendor' },
        { kind: 'resume' },
        { kind: 'ask', question: 'what is it for?' },
        { kind: 'answer', text: 'a test' },
        { kind: 'delegate', to: { id: 'bob', name: 'Bob' } },
        { kind: 'postpone', dueAt: 90, reason: 'holidays' },
        { kind: 'escalate', step: 0 },
        { kind: 'expire' },
        { kind: 'giveBack', claimedAt: 10 },
        { kind: 'renew', digest: 'd2' },
      ),
      fc.constant<ReviewCommand>({ kind: 'claim' }),
      fc.constant<ReviewCommand>({ kind: 'release' }),
      fc.constant<ReviewCommand>({ kind: 'cancel', reason: 'over' }),
      fc.constant<ReviewCommand>({ kind: 'reassign', to: { id: 'bob', name: 'Bob' } }),
      fc.record({
        kind: fc.constant('decide' as const),
        outcome: fc.constantFrom('release', 'delete', 'nonsense'),
        reason: fc.constantFrom('', 'because'),
      }),
    );
    const policy = fc.record({
      ...Object.fromEntries(Object.entries(PLAIN_POLICY).map(([key, value]) => [key, fc.constant(value)])),
      quorum: fc.record({
        approve: fc.integer({ min: 1, max: 3 }),
        reject: fc.integer({ min: 1, max: 2 }),
        distinctGroups: fc.boolean(),
      }),
      rejecting: fc.constantFrom([], ['delete']),
      escalation: fc.constantFrom(
        [],
        [
          {
            afterMs: 1,
            to: [{ kind: 'user' as const, id: 'bob', name: 'Bob' }],
            action: 'replace' as const,
            loops: 1,
            everyMs: 1,
          },
        ],
      ),
      onExpire: fc.constantFrom(...EXPIRY_ACTIONS).map((action) => ({ action, outcome: 'expired' })),
      holdStopsClock: fc.boolean(),
    }) as unknown as fc.Arbitrary<Policy>;
    fc.assert(
      fc.property(fc.array(fc.tuple(command, who), { maxLength: 12 }), policy, (steps, asked) => {
        let review: ReviewStanding = { ...fresh, policy: asked, dueAt: 5 };
        for (const [step, by] of steps) {
          const result = transition(review, step, by, 10);
          if (result.kind !== 'applied') continue;
          expect(WAITING_STATES).toContain(review.state);
          expect(result.next.version).toBe(review.version + 1);
          const isHeld = result.next.claim !== undefined;
          if (['ASSIGNED', 'CLAIMED'].includes(result.next.state)) expect(isHeld).toBe(true);
          if (['OPEN', ...ENDS].includes(result.next.state)) expect(isHeld).toBe(false);
          expect(['COMPLETED', 'EXPIRED', 'SKIPPED'].includes(result.next.state)).toBe(
            result.next.decision !== undefined,
          );
          expect(result.next.state === 'ON_HOLD').toBe(result.next.hold !== undefined);
          expect(result.next.state === 'INFO_REQUESTED').toBe(result.next.info !== undefined);
          review = result.next;
        }
      }),
    );
  });
});

describe('the digest of a subject', () => {
  it('changes with the bytes, the verdict and what was found, and with nothing else', () => {
    const subject = exampleSubject();
    const same = { ...subject, engines: ['clamav 1.4'], findingsTotal: 7 };
    expect(subjectDigest(same)).toBe(subjectDigest(subject));
    expect(subjectDigest({ ...subject, verdict: 'infected' })).not.toBe(subjectDigest(subject));
    expect(subjectDigest({ ...subject, fingerprints: ['k1:5f0e', 'k1:ffff'] })).not.toBe(
      subjectDigest(subject),
    );
    expect(subjectDigest(exampleSubject('another.zip'))).not.toBe(subjectDigest(subject));
  });
});

it('an outcome promises no more than is done', () => {
  const effect = (outcome: string, handling = {}) => outcomeFacts(outcome, handling).effect;
  for (const handling of [
    {},
    { actionMode: 'quarantine' as const },
    { actionMode: 'tag', quarantined: true },
  ])
    expect(effect('delete', handling)).toMatch(/deleted for good/);
  for (const actionMode of ['tag', 'observe'])
    expect(effect('delete', { actionMode, quarantined: false })).toMatch(
      `only recorded: the object stays where it is, because the bucket’s mode is ${actionMode}`,
    );
  const dry = { actionMode: 'quarantine', quarantined: true, dryRun: true };
  expect(effect('delete', dry)).toMatch(/only recorded.*DRY_RUN/);
  expect(effect('release', dry)).toMatch(/only recorded.*DRY_RUN/);
  expect(effect('release', { quarantined: true })).toMatch(/becomes available again/);
  expect(effect('release', { quarantined: false })).toMatch(/never moved/);
  expect(effect('keep', { actionMode: 'tag' })).toMatch(/never moved/);
  expect(effect('keep', { quarantined: true })).toMatch(/stays in quarantine/);
});
