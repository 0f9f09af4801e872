import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHumanInput, type HumanQuestion, type NamedParty } from '../../src/reviews/human-input.js';
import { substituteOf, type Absence } from '../../src/reviews/rules/absences.js';
import { PLAIN_POLICY, type Party, type Policy } from '../../src/reviews/rules/policy.js';
import { isReached, tally } from '../../src/reviews/rules/quorum.js';
import type { Vote } from '../../src/reviews/rules/review.js';
import { timersOf } from '../../src/reviews/rules/schedule.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const known = ({ kind, name }: NamedParty): Party =>
  kind === 'user' ? { kind, id: `id-${name}`, name } : { kind, name };

function question(input: object): HumanQuestion {
  const read = readHumanInput(input);
  if ('fault' in read) throw new Error(read.fault);
  return read.question;
}
const policyOf = (input: object): Policy => question(input).policy(known);
const fault = (input: object): string => {
  const read = readHumanInput(input);
  return 'fault' in read ? read.fault : 'none';
};

describe('the input of a HUMAN task', () => {
  it('asks everybody, one vote, without a deadline, when it says nothing', () => {
    expect(policyOf({})).toEqual({ ...PLAIN_POLICY, rejecting: ['reject'] });
    expect(question({}).outcomes).toEqual(['approve', 'reject']);
  });

  it('says whom it asks, how many must agree, and what the clock does', () => {
    const policy = policyOf({
      queue: 'quarantine',
      assign: { to: ['group:secops', { user: 'alice' }], strategy: 'least_loaded' },
      quorum: { approve: 2 },
      fourEyes: ['requester', 'definitionEditor'],
      deadline: '3d',
      reminders: ['4h', 90],
      escalation: [{ after: '1d', to: ['group:leads'], action: 'replace', loops: 2, every: '30m' }],
      onExpire: { action: 'REJECT', outcome: 'keep' },
      outcomes: ['release', 'delete'],
      claimTimeout: '2h',
    });
    expect(policy).toMatchObject({
      queue: 'quarantine',
      to: [
        { kind: 'group', name: 'secops' },
        { kind: 'user', id: 'id-alice', name: 'alice' },
      ],
      strategy: 'least_loaded',
      quorum: { approve: 2, reject: 1, distinctGroups: false },
      rejecting: ['delete'],
      deadlineMs: 72 * HOUR,
      remindersMs: [4 * HOUR, 90 * MINUTE],
      escalation: [{ afterMs: 24 * HOUR, action: 'replace', loops: 2, everyMs: 30 * MINUTE }],
      onExpire: { action: 'REJECT', outcome: 'keep' },
      claimTimeoutMs: 2 * HOUR,
    });
  });

  it.each([
    ['a time that is none', { deadline: 'soon' }, /input deadline: must be a time such as 30m/],
    ['a time of nothing', { deadline: 0 }, /input deadline: must be a time/],
    ['a party that is neither', { assign: { to: ['everyone'] } }, /input assign\.to\.0: /],
    ['an outcome twice', { outcomes: ['a', 'a'] }, /input outcomes: names an outcome twice/],
    ['a quorum of none', { quorum: { approve: 0 } }, /input quorum\.approve: /],
    [
      'a refusal that is not offered',
      { rejecting: ['burn'] },
      /input rejecting: burn is none of the outcomes/,
    ],
    [
      'an approval by the clock under another name',
      { outcomes: ['release', 'delete'], onExpire: { action: 'REJECT', outcome: 'release' } },
      /input onExpire\.outcome: release grants what is asked for/,
    ],
    [
      'an approval by the clock that is not offered',
      { onExpire: { action: 'APPROVE', outcome: 'release' } },
      /input onExpire\.outcome: release is none of the outcomes/,
    ],
    ['a queue that is a path', { queue: '../x' }, /input queue: /],
  ])('refuses %s, naming the field', (_, input, message) => {
    expect(fault(input)).toMatch(message);
  });

  it('never approves by the clock unless it says APPROVE', () => {
    expect(policyOf({ deadline: '1h' }).onExpire).toEqual({ action: 'REJECT', outcome: 'expired' });
    expect(policyOf({ deadline: '1h', onExpire: 'APPROVE' }).onExpire).toEqual({
      action: 'APPROVE',
      outcome: 'approve',
    });
  });

  it('takes Orkes’ definition: one assignee after the other, then left open or ended', () => {
    const assignments = [
      { assignee: { userType: 'CONDUCTOR_USER', user: 'alice' }, slaMinutes: 30 },
      { assignee: { userType: 'EXTERNAL_GROUP', user: 'leads' }, slaMinutes: 60 },
    ];
    const open = policyOf({
      __humanTaskDefinition: { assignmentCompletionStrategy: 'LEAVE_OPEN', assignments },
    });
    expect(open).toMatchObject({
      to: [{ kind: 'user', id: 'id-alice' }],
      escalation: [{ afterMs: 30 * MINUTE, to: [{ kind: 'group', name: 'leads' }], action: 'replace' }],
    });
    expect(open.deadlineMs).toBeUndefined();
    const ends = policyOf({
      __humanTaskDefinition: { assignmentCompletionStrategy: 'TERMINATE', assignments },
    });
    expect(ends.deadlineMs).toBe(90 * MINUTE);
    expect(ends.onExpire.action).toBe('FAIL');
    expect(question({ __humanTaskDefinition: { displayName: 'Look at it' } }).title).toBe('Look at it');
  });
});

describe('what the clock does', () => {
  it('is planned from the opening: reminders and escalation before the deadline, a warning in its last quarter, nothing with it or after it', () => {
    const policy = policyOf({
      deadline: '3h',
      reminders: ['1h', '3h', '5h'],
      escalation: [{ after: '1h', to: ['group:leads'], loops: 4, every: '1h' }],
    });
    expect(timersOf(policy, 1000)).toEqual([
      { kind: 'remind', step: 0, loop: 0, at: 1000 + HOUR },
      { kind: 'escalate', step: 0, loop: 0, at: 1000 + HOUR },
      { kind: 'escalate', step: 0, loop: 1, at: 1000 + 2 * HOUR },
      { kind: 'warn', step: 0, loop: 0, at: 1000 + 2.25 * HOUR },
      { kind: 'expire', step: 0, loop: 0, at: 1000 + 3 * HOUR },
    ]);
  });
});

const vote = (by: string, groups: readonly string[] = [], outcome = 'release'): Vote => ({
  by: { id: by, name: by },
  outcome,
  reason: 'r',
  at: 1,
  via: 'web',
  method: 'session',
  groups,
  isOverride: false,
});

describe('a quorum', () => {
  const two: Policy = {
    ...PLAIN_POLICY,
    quorum: { approve: 2, reject: 1, distinctGroups: false },
    rejecting: ['delete'],
  };

  it('counts votes for the same outcome; one is enough to refuse', () => {
    expect(isReached(tally(two, [vote('a')], 'release'))).toBe(false);
    expect(isReached(tally(two, [vote('a'), vote('b')], 'release'))).toBe(true);
    expect(isReached(tally(two, [vote('a'), vote('b', [], 'keep')], 'release'))).toBe(false);
    expect(isReached(tally(two, [vote('a', [], 'delete')], 'delete'))).toBe(true);
  });

  it('of different groups finds a group for each vote where there is a way', () => {
    const apart: Policy = { ...two, quorum: { ...two.quorum, distinctGroups: true } };
    expect(tally(apart, [vote('a', ['x']), vote('b', ['x'])], 'release').votes).toBe(1);
    // The first takes x at first, and moves over to y for the second's sake.
    expect(tally(apart, [vote('a', ['x', 'y']), vote('b', ['x'])], 'release').votes).toBe(2);
    expect(tally(apart, [vote('a'), vote('b', ['x'])], 'release').votes).toBe(1);
  });

  it('never counts more votes than people or groups, nor fewer than some matching', () => {
    const groups = fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 });
    fc.assert(
      fc.property(fc.array(groups, { maxLength: 5 }), (of) => {
        const votes = of.map((mine, index) => vote(`p${index}`, mine));
        const apart: Policy = { ...two, quorum: { ...two.quorum, distinctGroups: true } };
        const best = (rest: readonly (readonly string[])[], used: readonly string[]): number => {
          const [mine, ...others] = rest;
          if (mine === undefined) return 0;
          const taking = mine.filter((group) => !used.includes(group));
          return Math.max(best(others, used), ...taking.map((group) => 1 + best(others, [...used, group])));
        };
        expect(tally(apart, votes, 'release').votes).toBe(best(of, []));
      }),
    );
  });
});

describe('who stands in', () => {
  const person = (id: string) => ({ id, name: id });
  const away = (id: string, substitute?: string, from = 0, to = 100): Absence => ({
    person: person(id),
    from,
    to,
    substitute: substitute === undefined ? undefined : person(substitute),
  });

  it('is the substitute, or the substitute’s while that one is away too', () => {
    expect(substituteOf([away('a', 'b')], 'a', 5)?.id).toBe('b');
    expect(substituteOf([away('a', 'b'), away('b', 'c')], 'a', 5)?.id).toBe('c');
    expect(substituteOf([away('a', 'b')], 'a', 100)).toBeUndefined();
    expect(substituteOf([away('a')], 'a', 5)).toBeUndefined();
  });

  it('is nobody where the chain runs in a circle', () => {
    expect(substituteOf([away('a', 'b'), away('b', 'a')], 'a', 5)).toBeUndefined();
    expect(substituteOf([away('a', 'b'), away('b', 'c'), away('c', 'b')], 'a', 5)).toBeUndefined();
  });
});
