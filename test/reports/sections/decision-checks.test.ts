import { describe, expect, it } from 'vitest';
import { PLAIN_POLICY } from '../../../src/reviews/rules/policy.js';
import { quorumOf, remarksOn } from '../../../src/reports/sections/decision-checks.js';
import type { DecisionFacts, VoteFacts } from '../../../src/reports/sections/decision-facts.js';

const vote = (of: Partial<VoteFacts> = {}): VoteFacts => ({
  round: 1,
  by: 'anna',
  name: 'Anna',
  onBehalfOf: null,
  onBehalfOfName: null,
  outcome: 'release',
  reason: 'known',
  subjectDigest: 'd',
  via: 'web',
  method: 'session',
  at: 1000,
  groups: ['security'],
  isOverride: false,
  withdrawnAt: null,
  isSubstitute: false,
  wasGiven: false,
  ...of,
});

const decision = (of: Partial<DecisionFacts> = {}): DecisionFacts => ({
  id: 'r',
  state: 'COMPLETED',
  title: 'Release?',
  queue: 'default',
  workflow: 'scan_upload',
  workflowVersion: 1,
  taskRef: 'ask',
  object: 'uploads/a',
  subjectDigest: 'd',
  sha256: null,
  uploader: null,
  policy: { ...PLAIN_POLICY, to: [{ kind: 'group', name: 'security' }], rejecting: ['keep'] },
  excluded: [{ id: 'uwe', name: 'Uwe', because: 'uploader' }],
  round: 1,
  outcome: 'release',
  decidedBy: 'anna',
  decidedByName: 'Anna',
  decidedAt: 1000,
  via: 'web',
  method: 'session',
  reason: 'known',
  createdAt: 0,
  dueAt: null,
  escalated: 0,
  votes: [vote()],
  ...of,
});

const said = (of: Partial<DecisionFacts>) =>
  remarksOn(decision(of)).map(({ control, isAllowed }) => `${isAllowed ? 'may' : 'must not'}: ${control}`);
const policy = decision().policy ?? PLAIN_POLICY;

describe('the checks of a decision', () => {
  it('have nothing to say of one that was made by the rules', () => {
    expect(said({})).toEqual([]);
  });

  it('name whoever granted what is their own, also in somebody else’s name', () => {
    expect(said({ votes: [vote({ by: 'uwe' })] })).toContain('must not: self_approval');
    expect(said({ votes: [vote({ onBehalfOf: 'uwe', isSubstitute: true })] })).toContain(
      'must not: self_approval',
    );
  });

  it('let whoever uploaded it refuse it', () => {
    expect(said({ outcome: 'keep', votes: [vote({ by: 'uwe', outcome: 'keep' })] })).toEqual([]);
  });

  it('count the votes anew: those of an earlier round, taken back or for something else do not count', () => {
    const two = { ...policy, quorum: { approve: 2, reject: 1, distinctGroups: false } };
    const second = vote({ by: 'ben', name: 'Ben' });
    expect(said({ policy: two, votes: [vote(), second] })).toEqual([]);
    for (const other of [
      { ...second, round: 0 },
      { ...second, withdrawnAt: 900 },
      { ...second, outcome: 'keep' },
      vote(),
    ]) {
      const short = { policy: two, votes: [vote(), other] };
      expect(said(short)).toEqual(['must not: below_quorum']);
      expect(quorumOf(decision(short))).toEqual({ required: 2, reached: 1 });
    }
  });

  it('tell a deadline that ends a review from one that asks more people', () => {
    expect(said({ dueAt: 1000 })).toEqual(['must not: after_expiry']);
    expect(said({ dueAt: 1001 })).toEqual([]);
    const patient = { ...policy, onExpire: { action: 'LEAVE_OPEN' as const, outcome: 'expired' } };
    expect(said({ dueAt: 1000, policy: patient })).toEqual(['may: after_expiry']);
  });

  it('name votes of people who were in no group that was asked when they voted', () => {
    expect(said({ votes: [vote({ groups: ['sales'] })] })).toEqual(['must not: not_in_group']);
    const escalated = {
      ...policy,
      escalation: [
        {
          afterMs: 1,
          to: [{ kind: 'group' as const, name: 'sales' }],
          action: 'add' as const,
          loops: 1,
          everyMs: 0,
        },
      ],
    };
    expect(said({ votes: [vote({ groups: ['sales'] })], policy: escalated })).toEqual([
      'must not: not_in_group',
    ]);
    expect(said({ votes: [vote({ groups: ['sales'] })], policy: escalated, escalated: 1 })).toEqual([]);
  });

  it('tell of whoever was given the review by name although no group of theirs was asked, which the rules let', () => {
    expect(said({ votes: [vote({ groups: ['sales'], wasGiven: true })] })).toEqual(['may: not_in_group']);
  });

  it('ask of whoever stood in for somebody that an absence said so', () => {
    const standIn = vote({ groups: [], onBehalfOf: 'clara', onBehalfOfName: 'Clara' });
    expect(said({ votes: [standIn] })).toEqual(['must not: not_in_group']);
    expect(said({ votes: [{ ...standIn, isSubstitute: true }] })).toEqual([]);
    const asksDora = { ...policy, to: [{ kind: 'user' as const, id: 'dora', name: 'Dora' }] };
    expect(said({ votes: [{ ...standIn, isSubstitute: true }], policy: asksDora })).toEqual([
      'must not: not_in_group',
    ]);
  });

  it('tell of an admin who was not asked, which the rules let', () => {
    expect(said({ votes: [vote({ groups: [], isOverride: true })] })).toEqual(['may: admin_override']);
  });

  it('ask for a reason where the outcome needs one', () => {
    expect(said({ reason: '  ' })).toEqual(['must not: without_reason']);
    expect(said({ reason: '', outcome: 'keep', votes: [vote({ outcome: 'keep' })] })).toEqual([
      'may: without_reason',
    ]);
  });

  it('tell what the clock decided, and that it must not approve', () => {
    const expired = { state: 'EXPIRED' as const, via: 'system', outcome: 'expired', votes: [] };
    expect(said(expired)).toEqual(['may: automatic_decision']);
    const granted = { ...expired, outcome: 'release' };
    expect(said(granted)).toEqual(['must not: automatic_decision']);
    expect(said({ ...expired, outcome: 'keep' })).toEqual(['may: automatic_decision']);
    const lax = { ...policy, onExpire: { action: 'APPROVE' as const, outcome: 'release' } };
    expect(said({ ...expired, policy: lax })).toEqual(['must not: automatic_decision']);
  });
});
