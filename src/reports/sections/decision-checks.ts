import {
  EXPIRED_OUTCOME,
  PLAIN_POLICY,
  votesNeeded,
  type Party,
  type Policy,
} from '../../reviews/rules/policy.js';
import { outcomeFacts } from '../../reviews/rules/outcome.js';
import { tally } from '../../reviews/rules/quorum.js';
import type { ControlId } from '../data/controls.js';
import type { DecisionFacts, VoteFacts } from './decision-facts.js';

/** What a check says of a decision; `isAllowed`: the rules let it, and somebody should know of it all the same. */
export interface Remark {
  readonly control: ControlId;
  readonly isAllowed: boolean;
  readonly note: string;
}

/** One that an earlier release stored says less. */
const policyOf = ({ policy }: Pick<DecisionFacts, 'policy'>): Policy => ({ ...PLAIN_POLICY, ...policy });

/** The votes that made the decision: those of the round that it was made in, for its outcome, not taken back. */
export const votesFor = ({ votes, round, outcome }: DecisionFacts): readonly VoteFacts[] =>
  votes.filter((vote) => vote.round === round && vote.withdrawnAt === null && vote.outcome === outcome);

/** Votes that the decision needed and had, counted anew from what is stored. */
export function quorumOf(decision: DecisionFacts): { readonly required: number; readonly reached: number } {
  const policy = policyOf(decision);
  const votes = votesFor(decision).map((vote) => ({
    by: { id: vote.by, name: vote.name },
    outcome: vote.outcome,
    reason: vote.reason,
    at: vote.at,
    via: 'web' as const,
    method: vote.method,
    groups: vote.groups,
    isOverride: vote.isOverride,
  }));
  const { votes: reached } = tally(policy, votes, decision.outcome);
  return { required: votesNeeded(policy, decision.outcome), reached };
}

/** Everything about one decision that an auditor asks for. */
export function remarksOn(decision: DecisionFacts): Remark[] {
  if (decision.via === 'system') return [automatic(decision)];
  return [
    ...selfApprovals(decision),
    ...belowQuorum(decision),
    ...afterExpiry(decision),
    ...votesFor(decision).flatMap((vote) => notAsked(decision, vote)),
    ...votesFor(decision).flatMap(override),
    ...withoutReason(decision),
  ];
}

const fails = (control: ControlId, note: string): Remark => ({ control, isAllowed: false, note });
const allowed = (control: ControlId, note: string): Remark => ({ control, isAllowed: true, note });

const refuses = ({ policy, outcome }: DecisionFacts): boolean =>
  policyOf({ policy }).rejecting.includes(outcome);

function automatic(decision: DecisionFacts): Remark {
  const { outcome, policy, reason } = decision;
  const isHarmless = outcome === EXPIRED_OUTCOME || refuses(decision);
  const isGranting = policyOf({ policy }).onExpire.action === 'APPROVE' || !isHarmless;
  const note = `${outcome}: ${reason}`;
  return isGranting ? fails('automatic_decision', note) : allowed('automatic_decision', note);
}

/** Whoever has to do with it may refuse, and never grant. */
function selfApprovals(decision: DecisionFacts): Remark[] {
  if (refuses(decision)) return [];
  const excluded = new Map(decision.excluded.map(({ id, because }) => [id, because]));
  return votesFor(decision).flatMap((vote) => {
    const because = excluded.get(vote.by) ?? excluded.get(vote.onBehalfOf ?? '');
    return because === undefined ? [] : [fails('self_approval', `${vote.name} is the ${because}`)];
  });
}

function belowQuorum(decision: DecisionFacts): Remark[] {
  if (decision.state !== 'COMPLETED') return [];
  const { required, reached } = quorumOf(decision);
  return reached >= required ? [] : [fails('below_quorum', `${reached} of ${required} votes`)];
}

function afterExpiry({ policy, dueAt, decidedAt }: DecisionFacts): Remark[] {
  if (dueAt === null || decidedAt < dueAt) return [];
  const note = `${Math.ceil((decidedAt - dueAt) / 60_000)} minutes after its deadline`;
  const { action } = policyOf({ policy }).onExpire;
  // The deadline of these asks for more people, and ends nothing.
  return action === 'LEAVE_OPEN' || action === 'ESCALATE'
    ? [allowed('after_expiry', note)]
    : [fails('after_expiry', note)];
}

function notAsked(decision: DecisionFacts, vote: VoteFacts): Remark[] {
  const { to, escalation } = policyOf(decision);
  if (to.length === 0 || vote.isOverride) return [];
  const asked = [...to, ...escalation.slice(0, decision.escalated).flatMap((step) => step.to)];
  const isAsked = (party: Party): boolean =>
    party.kind === 'user' ? party.id === vote.by : vote.groups.includes(party.name);
  if (vote.onBehalfOf !== null) return asStandIn(vote, asked);
  if (asked.some(isAsked)) return [];
  const note = `${vote.name} was in no group that was asked`;
  // Whoever is given a review is asked from then on; that somebody chose them is worth a look.
  return vote.wasGiven
    ? [allowed('not_in_group', `${note}, and was given it by name`)]
    : [fails('not_in_group', note)];
}

function asStandIn(vote: VoteFacts, asked: readonly Party[]): Remark[] {
  const absent = vote.onBehalfOfName ?? vote.onBehalfOf ?? '';
  if (!vote.isSubstitute)
    return [fails('not_in_group', `${vote.name} stood in for ${absent} without an absence`)];
  // The groups of whoever is away are not kept with the vote: where one was asked, it may have been theirs.
  const mayBeAsked = asked.some((party) => party.kind === 'group' || party.id === vote.onBehalfOf);
  return mayBeAsked ? [] : [fails('not_in_group', `${vote.name} stood in for ${absent}, who was not asked`)];
}

const override = (vote: VoteFacts): Remark[] =>
  vote.isOverride ? [allowed('admin_override', `${vote.name} was not asked`)] : [];

function withoutReason({ outcome, reason }: DecisionFacts): Remark[] {
  // Whoever signs says by it that they read something, and grants nothing.
  if (reason.trim() !== '' || outcome === 'sign') return [];
  return outcomeFacts(outcome).needsReason
    ? [fails('without_reason', `${outcome} needs one`)]
    : [allowed('without_reason', `${outcome} needs none`)];
}
