import { Injectable } from '@nestjs/common';
import type { InputBlock } from '@slack/types';
import { InvalidInput } from '../../../../../errors.js';
import { mayDecideIn, personOf, type Roster } from '../../../../people.js';
import type { Review } from '../../../../review.js';
import type { ReviewerPerson } from '../../../../reviewers.js';
import type { Person } from '../../../../rules/review.js';
import { INPUT_ACTION, input, option } from '../../block-kit.js';
import { ReviewSight } from '../review-sight.js';
import type { Said } from '../said.js';

/** block_id of the field in which somebody is chosen. */
export const PERSON_BLOCK = 'to';

// A menu of Slack has room for so many.
const MOST_OPTIONS = 100;
const LONGEST_ID = 150;

/** The field in which one of those is chosen who may decide a review. */
@Injectable()
export class PersonField {
  constructor(private readonly sight: ReviewSight) {}

  async input(review: Review): Promise<InputBlock> {
    return personInput(candidates(review, await this.sight.roster()));
  }

  /** @throws InvalidInput at the field for nobody, or who is none of those. */
  async read(review: Review, said: Said): Promise<Person> {
    const chosen = said.choice(PERSON_BLOCK);
    const typed = said.text(PERSON_BLOCK).trim();
    const roster = await this.sight.roster();
    const id = chosen ?? idOf(roster, typed);
    const person = candidates(review, roster).find(({ personId }) => personId === id);
    if (person !== undefined) return personOf(person);
    throw InvalidInput.field(
      PERSON_BLOCK,
      typed === '' && chosen === undefined
        ? 'must name somebody'
        : `must be somebody else who may decide in the queue ${review.policy.queue}`,
    );
  }
}

/** A menu of them, or a field for a name where they do not fit into one. */
export function personInput(people: readonly ReviewerPerson[]): InputBlock {
  const fits =
    people.length > 0 &&
    people.length <= MOST_OPTIONS &&
    people.every(({ personId }) => personId.length > 0 && personId.length <= LONGEST_ID);
  if (!fits)
    return input(
      PERSON_BLOCK,
      'To whom?',
      { type: 'plain_text_input', action_id: INPUT_ACTION, max_length: 200 },
      { hint: 'The name by which they log in, or their address.' },
    );
  return input(PERSON_BLOCK, 'To whom?', {
    type: 'static_select',
    action_id: INPUT_ACTION,
    options: people.map(({ personId, name, login }) =>
      option(personId, login === undefined || login === name ? name : `${name} (${login})`),
    ),
  });
}

function idOf(roster: Roster, typed: string): string | undefined {
  const party = typed === '' ? undefined : roster.party({ kind: 'user', name: typed });
  return party?.kind === 'user' ? party.id : undefined;
}

/** Whoever may decide it and does not have it, by name. */
const candidates = (review: Review, { people }: Roster): readonly ReviewerPerson[] =>
  people
    .filter(
      (person) =>
        mayDecideIn(review.policy.queue, person) &&
        person.personId !== review.claim?.by.id &&
        !review.excluded.some(({ id }) => id === person.personId),
    )
    .sort((one, other) => one.name.localeCompare(other.name, 'en'));
