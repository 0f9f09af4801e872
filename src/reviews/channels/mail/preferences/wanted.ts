import type { Review } from '../../../review.js';
import type { ReviewerPerson } from '../../../reviewers.js';
import { partiesOf } from '../../../rules/eligibility.js';
import type { Telling } from '../../channel.js';

/**
 * Who of those who are asked gets a mail: everybody but those who want only what is theirs. Where nobody else would hear
 * of it, they do: less mail must not leave a question without anybody who knows of it.
 */
export function wanting(
  review: Review,
  telling: Telling,
  people: readonly ReviewerPerson[],
): readonly ReviewerPerson[] {
  const those = people.filter((person) => person.mail !== 'mine' || isTheirs(review, telling, person));
  return those.length === 0 ? people : those;
}

const isTheirs = (review: Review, { kind }: Telling, { personId }: ReviewerPerson): boolean =>
  kind === 'assigned' ||
  kind === 'answered' ||
  review.claim?.by.id === personId ||
  partiesOf(review).some((party) => party.kind === 'user' && party.id === personId);
