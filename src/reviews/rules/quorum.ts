import { votesNeeded, type Policy } from './policy.js';
import type { Vote } from './review.js';

/** How far an outcome is. */
export interface Tally {
  readonly outcome: string;
  readonly votes: number;
  readonly needed: number;
}

/**
 * Counts different people: whoever votes for somebody who is away counts once, as that person, so that one who stands
 * in for two still needs a second pair of eyes. With `distinctGroups` each vote needs a group of its own.
 */
export function tally(policy: Policy, votes: readonly Vote[], outcome: string): Tally {
  const of = votes.filter((vote) => vote.outcome === outcome);
  const people = new Set(of.map(({ by }) => by.id));
  const counted = policy.quorum.distinctGroups ? distinctGroups(of) : people.size;
  return { outcome, votes: counted, needed: votesNeeded(policy, outcome) };
}

export const isReached = ({ votes, needed }: Tally): boolean => votes >= needed;

/** The most votes that can be given a different group each: a matching of votes and groups. */
function distinctGroups(votes: readonly Vote[]): number {
  const holder = new Map<string, Vote>();
  const place = (vote: Vote, tried: Set<string>): boolean => {
    for (const group of vote.groups) {
      if (tried.has(group)) continue;
      tried.add(group);
      const held = holder.get(group);
      if (held === undefined || place(held, tried)) {
        holder.set(group, vote);
        return true;
      }
    }
    return false;
  };
  return votes.filter((vote) => place(vote, new Set())).length;
}

/** Whether enough people are left for a quorum, when so many may decide. */
export const canBeReached = ({ quorum }: Policy, eligible: number): boolean =>
  eligible >= Math.max(quorum.approve, 1);
