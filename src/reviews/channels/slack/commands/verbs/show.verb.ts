import { Injectable } from '@nestjs/common';
import type { Reviewer } from '../../../../rules/review.js';
import { firstWord } from '../command-line.js';
import { NamedReview } from '../named-review.js';
import { SlackVerb, type Told, type Typed } from '../verb.js';

/** One review, with its evidence and buttons. */
@Injectable()
export class ShowVerb extends SlackVerb {
  readonly name = 'show';
  readonly usage = 'show ID';
  readonly does = 'the evidence, and buttons to answer with';

  constructor(private readonly named: NamedReview) {
    super();
  }

  async said({ rest }: Typed, who: Reviewer): Promise<Told> {
    return this.named.shown(await this.named.find(firstWord(rest).word, who), who);
  }
}
