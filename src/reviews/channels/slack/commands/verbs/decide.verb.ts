import { Injectable } from '@nestjs/common';
import { InvalidInput } from '../../../../../errors.js';
import type { Review } from '../../../../review.js';
import type { Reviewer } from '../../../../rules/review.js';
import { firstWord } from '../command-line.js';
import { CommandDecision } from '../command-decision.js';
import { NamedReview } from '../named-review.js';
import { SlackVerb, type Told, type Typed } from '../verb.js';

/** Answers a review: `approve`, `reject`, or the name of an outcome. */
@Injectable()
export class DecideVerb extends SlackVerb {
  readonly name = 'approve';
  readonly usage = 'approve|reject|OUTCOME ID REASON';
  readonly does = 'answer it; what grants or deletes something shows the evidence first';

  constructor(
    private readonly named: NamedReview,
    private readonly decision: CommandDecision,
  ) {
    super();
  }

  async said({ verb, rest, triggerId }: Typed, who: Reviewer): Promise<Told | undefined> {
    const { word, rest: reason } = firstWord(rest);
    const review = await this.named.find(word, who);
    return this.decision.decide(review, outcomeNamed(review, verb), { reason, triggerId }, who);
  }
}

/** As its buttons are called: the first of two outcomes is what approves. @throws InvalidInput naming those that there are. */
function outcomeNamed({ outcomes }: Review, verb: string): string {
  const exact = outcomes.find((outcome) => outcome.toLowerCase() === verb);
  if (exact !== undefined) return exact;
  const [first, second, ...others] = outcomes;
  const aliases = new Map([
    ['approve', first],
    ['reject', second],
  ]);
  const alias = others.length > 0 ? undefined : aliases.get(verb);
  if (alias !== undefined) return alias;
  throw InvalidInput.field(verb, `is no answer of this review, which takes ${outcomes.join(', ')}`);
}
