import type { Instant } from '../../clock.js';
import type { Person } from './review.js';

/** Somebody is away from `from` until before `to`. */
export interface Absence {
  readonly person: Person;
  readonly from: Instant;
  readonly to: Instant;
  /** Who answers for them; nobody when absent. */
  readonly substitute?: Person | undefined;
}

export const isAway = (absences: readonly Absence[], personId: string, now: Instant): boolean =>
  absences.some(({ person, from, to }) => person.id === personId && from <= now && now < to);

/**
 * Who stands in for somebody now: the substitute, or the substitute's while that one is away too. Nobody when the
 * chain ends with somebody who is away, or runs in a circle.
 */
export function substituteOf(
  absences: readonly Absence[],
  personId: string,
  now: Instant,
): Person | undefined {
  const passed = new Set([personId]);
  let current: string = personId;
  for (;;) {
    const away = absences.find(({ person, from, to }) => person.id === current && from <= now && now < to);
    const next = away?.substitute;
    if (next === undefined || passed.has(next.id)) return undefined;
    if (!isAway(absences, next.id, now)) return next;
    passed.add(next.id);
    current = next.id;
  }
}
