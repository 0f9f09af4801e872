import { Injectable } from '@nestjs/common';
import type { Instant } from '../clock.js';
import { Database } from '../database/database.js';
import { Together } from '../database/together.js';
import { Reviewers, type ReviewerPerson } from './reviewers.js';
import { isAway, substituteOf, type Absence } from './rules/absences.js';
import { isAmong } from './rules/eligibility.js';
import type { Party } from './rules/policy.js';
import type { Excluded, Person, Reviewer, ReviewStanding } from './rules/review.js';
import { absencesBetween } from './sql/absences.js';
import { wantLessMail } from './sql/mail-preferences.js';

/** Everybody who may decide, at one moment. */
export class Roster {
  constructor(
    readonly people: readonly ReviewerPerson[],
    private readonly absences: readonly Absence[],
    private readonly now: Instant,
  ) {}

  /** Somebody with the groups that they are in now, and whom they stand in for. */
  acting(who: Reviewer): Reviewer {
    const standsInFor = this.people
      .filter(({ personId }) => substituteOf(this.absences, personId, this.now)?.id === who.id)
      .map(({ personId, name, groups = [] }) => ({ id: personId, name, groups }));
    const known = this.person(who.id);
    return {
      ...who,
      // Whichever way somebody comes in, in the record they are called the same.
      name: known?.name ?? who.name,
      queues: who.queues ?? known?.queues,
      groups: known?.groups ?? [],
      standsInFor,
    };
  }

  person(id: string): ReviewerPerson | undefined {
    return this.people.find(({ personId }) => personId === id);
  }

  /** The account of this id, login or address, or the group of this name. What somebody is called may be another's too. */
  party({ kind, name }: { kind: 'user' | 'group'; name: string }): Party | undefined {
    if (kind === 'group')
      return this.people.some(({ groups = [] }) => groups.includes(name)) ? { kind, name } : undefined;
    const wanted = name.toLowerCase();
    const found =
      this.people.find((person) => person.personId === name || (person.login ?? person.name) === name) ??
      this.people.find(({ email }) => email?.toLowerCase() === wanted);
    return found && { kind, id: found.personId, name: found.name };
  }

  /**
   * Whom to ask: those of the parties whom four eyes leave in, and who may decide in this queue; for who is away, who
   * stands in. Everybody once, in the order of their ids.
   */
  asked(
    { policy: { queue } }: Pick<ReviewStanding, 'policy'>,
    parties: readonly Party[],
    excluded: readonly Excluded[],
  ): readonly ReviewerPerson[] {
    const isLeftOut = (id: string): boolean => excluded.some((one) => one.id === id);
    const found = new Map<string, ReviewerPerson>();
    for (const person of this.people) {
      const { personId, name, groups = [] } = person;
      if (isLeftOut(personId) || !isAmong(parties, { id: personId, name }, groups)) continue;
      const present = this.present(person);
      if (present === undefined || isLeftOut(present.personId) || !mayDecideIn(queue, present)) continue;
      found.set(present.personId, present);
    }
    return [...found.values()].sort((a, b) => (a.personId < b.personId ? -1 : 1));
  }

  /** Somebody who is there, or who stands in; nobody where nobody does. */
  present(person: ReviewerPerson): ReviewerPerson | undefined {
    if (!isAway(this.absences, person.personId, this.now)) return person;
    const substitute = substituteOf(this.absences, person.personId, this.now);
    // Whoever may not decide at all cannot do so for another.
    return substitute && this.person(substitute.id);
  }
}

/** Who may decide now, who is away, and who answers for them. */
@Injectable()
export class People {
  /** Who decides at the same moment is looked up with one reading of everybody. */
  private readonly looking: Together<Instant, Roster>;

  constructor(
    private readonly reviewers: Reviewers,
    private readonly db: Database,
  ) {
    this.looking = new Together((moments) => this.look(moments));
  }

  at(now: Instant): Promise<Roster> {
    return this.looking.do(now);
  }

  private async look(moments: readonly Instant[]): Promise<Roster[]> {
    const [all, absences, less] = await Promise.all([
      this.reviewers.list(),
      absencesBetween(this.db, Math.min(...moments), Math.max(...moments)),
      wantLessMail(this.db),
    ]);
    const people = all.map((one) => (less.has(one.personId) ? { ...one, mail: 'mine' as const } : one));
    return moments.map((now) => new Roster(people, absences, now));
  }

  /** @see Roster.acting */
  async acting(who: Reviewer, now: Instant): Promise<Reviewer> {
    return who.via === 'system' ? who : (await this.at(now)).acting(who);
  }
}

/** Whether somebody decides in a queue at all: everywhere, or there by a grant. */
export const mayDecideIn = (queue: string, { queues }: Pick<ReviewerPerson, 'queues'>): boolean =>
  queues === undefined || queues.includes(queue);

export const personOf = ({ personId, name }: ReviewerPerson): Person => ({ id: personId, name });
