import { Injectable } from '@nestjs/common';
import type { InputBlock } from '@slack/types';
import type { Review } from '../../../../review.js';
import { ReviewsService } from '../../../../reviews.service.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { Said } from '../said.js';
import { SlackAct } from './act.js';
import { words } from './fields.js';
import { PersonField } from './person-field.js';

/** Hands a review on and stays responsible: given back, it comes back. */
@Injectable()
export class DelegateAct extends SlackAct {
  readonly name = 'delegate';
  readonly label = 'Delegate: hand it on, and stay responsible…';
  readonly title = 'Delegate';

  constructor(
    private readonly reviews: ReviewsService,
    private readonly people: PersonField,
  ) {
    super();
  }

  /** Only who has it can hand it on. */
  fits({ claim }: Review, who: Reviewer): boolean {
    return claim?.by.id === who.id;
  }

  override async inputs(review: Review): Promise<readonly InputBlock[]> {
    return [await this.people.input(review), words('reason', 'Why?', { optional: true })];
  }

  async perform(review: Review, said: Said, who: Reviewer): Promise<string> {
    const to = await this.people.read(review, said);
    await this.reviews.act(review.id, { kind: 'delegate', to, reason: said.text('reason') }, who);
    return `${to.name} has it now. Given back, it comes back to you.`;
  }
}
