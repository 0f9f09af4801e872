import { person, type Refusal } from './command.js';
import type { Party } from './policy.js';
import type { Excluded, Person, Reviewer, ReviewStanding } from './review.js';

/** Whether somebody may decide, and as whom. */
export type Eligibility =
  | { readonly may: true; readonly onBehalfOf?: Person | undefined; readonly isOverride: boolean }
  /** Four eyes: they have something to do with it themselves. */
  | { readonly may: false; readonly why: 'excluded'; readonly because: Excluded['because'] }
  | { readonly may: false; readonly why: 'not_asked'; readonly asked: readonly Party[] }
  /** They decide in other queues alone. */
  | { readonly may: false; readonly why: 'other_queue'; readonly queue: string };

type Asked = Pick<ReviewStanding, 'policy' | 'excluded' | 'claim' | 'escalated'>;

/** Who is asked by now: those of the definition, and those whom the escalation brought in. */
export function partiesOf({ policy, escalated }: Pick<Asked, 'policy' | 'escalated'>): readonly Party[] {
  let parties = policy.to;
  // Everybody is asked already.
  if (parties.length === 0) return parties;
  for (const step of policy.escalation.slice(0, escalated))
    parties = step.action === 'replace' ? step.to : [...parties, ...step.to];
  return parties;
}

/** The same as texts, for lists: `user:ID` and `group:NAME`. */
export const asksOf = (review: Pick<Asked, 'policy' | 'escalated'>): readonly string[] => [
  ...new Set(
    partiesOf(review).map((party) => (party.kind === 'user' ? `user:${party.id}` : `group:${party.name}`)),
  ),
];

/**
 * Judged when somebody acts, by the groups that they are in then: who left a group meanwhile is not asked any more.
 * Four eyes stand above everything, an admin and a substitute included.
 */
export function eligibility(review: Asked, who: Reviewer): Eligibility {
  const excluded = review.excluded.find(({ id }) => id === who.id);
  if (excluded !== undefined) return { may: false, why: 'excluded', because: excluded.because };
  const { queue } = review.policy;
  if (who.queues !== undefined && !who.queues.includes(queue))
    return { may: false, why: 'other_queue', queue };
  const asked = partiesOf(review);
  const isGiven = review.claim?.by.id === who.id;
  if (isGiven || isAmong(asked, who, who.groups ?? [])) return { may: true, isOverride: false };
  for (const away of who.standsInFor ?? []) {
    // The vote would be theirs, and theirs is not wanted.
    if (review.excluded.some(({ id }) => id === away.id)) continue;
    if (review.claim?.by.id === away.id || isAmong(asked, away, away.groups))
      return { may: true, onBehalfOf: { id: away.id, name: away.name }, isOverride: false };
  }
  if (who.isAdmin) return { may: true, isOverride: true };
  return { may: false, why: 'not_asked', asked };
}

/** What somebody is told who may not decide. */
export const ineligible = (judged: Extract<Eligibility, { may: false }>, who: Reviewer): Refusal =>
  judged.why === 'excluded'
    ? { why: 'excluded', who: person(who), because: judged.because }
    : judged.why === 'other_queue'
      ? { why: 'other_queue', queue: judged.queue }
      : { why: 'not_asked', asked: judged.asked };

export const isAmong = (parties: readonly Party[], { id }: Person, groups: readonly string[]): boolean =>
  parties.length === 0 ||
  parties.some((party) => (party.kind === 'user' ? party.id === id : groups.includes(party.name)));
