import { Injectable } from '@nestjs/common';
import type { InputBlock } from '@slack/types';
import type { Review } from '../../../../review.js';
import { ReviewsService } from '../../../../reviews.service.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { Said } from '../said.js';
import { SlackAct } from './act.js';
import { words } from './fields.js';
import { PersonField } from './person-field.js';

/** Gives a review to somebody else. */
@Injectable()
export class ReassignAct extends SlackAct {
  readonly name = 'reassign';
  readonly label = 'Reassign: give it to somebody else…';
  readonly title = 'Reassign';

  constructor(
    private readonly reviews: ReviewsService,
    private readonly people: PersonField,
  ) {
    super();
  }

  fits(): boolean {
    return true;
  }

  override async inputs(review: Review): Promise<readonly InputBlock[]> {
    return [await this.people.input(review), words('reason', 'Why?', { optional: true })];
  }

  async perform(review: Review, said: Said, who: Reviewer): Promise<string> {
    const to = await this.people.read(review, said);
    await this.reviews.act(review.id, { kind: 'reassign', to, reason: said.text('reason') }, who);
    return `It is ${to.name}’s now.`;
  }
}
