import { Injectable } from '@nestjs/common';
import type { InputBlock } from '@slack/types';
import { Clock } from '../../../../../clock.js';
import type { Review } from '../../../../review.js';
import { ReviewsService } from '../../../../reviews.service.js';
import type { ReviewCommand } from '../../../../rules/command.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { Said } from '../said.js';
import { SlackAct } from './act.js';
import { neededMoment, until, words } from './fields.js';

const HOUR_MS = 3_600_000;

/** Moves the deadline; reminders and escalation move with it. */
@Injectable()
export class PostponeAct extends SlackAct {
  readonly name = 'postpone';
  readonly label = 'Move the deadline…';
  readonly title = 'Move the deadline';

  constructor(
    private readonly clock: Clock,
    private readonly reviews: ReviewsService,
  ) {
    super();
  }

  fits({ dueAt }: Review): boolean {
    return dueAt !== undefined;
  }

  override trial(): ReviewCommand {
    return { kind: 'postpone', dueAt: this.clock.now() + HOUR_MS, reason: '' };
  }

  override async inputs(): Promise<readonly InputBlock[]> {
    return [until('dueAt', 'Due', this.clock.now()), words('reason', 'Why?', { optional: true })];
  }

  async perform(review: Review, said: Said, who: Reviewer): Promise<string> {
    const dueAt = neededMoment(said, 'dueAt');
    await this.reviews.act(review.id, { kind: 'postpone', dueAt, reason: said.text('reason') }, who);
    return 'The deadline is moved, and reminders and escalation with it.';
  }
}
