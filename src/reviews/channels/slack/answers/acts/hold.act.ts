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

/** Puts a review on hold. */
@Injectable()
export class HoldAct extends SlackAct {
  readonly name = 'hold';
  readonly label = 'Put it on hold until…';
  readonly title = 'Put on hold';

  constructor(
    private readonly clock: Clock,
    private readonly reviews: ReviewsService,
  ) {
    super();
  }

  fits({ state }: Review): boolean {
    return state !== 'INFO_REQUESTED';
  }

  override trial(): ReviewCommand {
    return { kind: 'hold', until: this.clock.now() + HOUR_MS, reason: '' };
  }

  override async inputs(): Promise<readonly InputBlock[]> {
    return [until('until', 'Until', this.clock.now()), words('reason', 'Why?', { optional: true })];
  }

  async perform(review: Review, said: Said, who: Reviewer): Promise<string> {
    const command = {
      kind: 'hold',
      until: neededMoment(said, 'until'),
      reason: said.text('reason'),
    } as const;
    await this.reviews.act(review.id, command, who);
    return 'It is on hold. Go on earlier with “Go on now”.';
  }
}
