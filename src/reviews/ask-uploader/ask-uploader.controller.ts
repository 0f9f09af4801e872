import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, type Principal } from '../../access/principal.js';
import { ReviewId, text } from '../request-fields.js';
import { ReviewDesk, speaker } from '../review-desk.js';
import { ReviewDetail } from '../review.view.js';
import { MAX_REASON_LENGTH } from '../rules/command.js';
import { AskUploader } from './ask-uploader.service.js';
import { DecidesReviews } from '../review-access.js';

const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;

const Ask = z
  .object({
    question: text(MAX_REASON_LENGTH).trim().min(1),
    /** Then the review goes on without an answer. */
    answerWithinMinutes: z
      .int()
      .min(15)
      .max(30 * DAY_MINUTES)
      .default(3 * DAY_MINUTES),
  })
  .meta({ id: 'AskUploader' });

/** A question to whoever uploaded the object. */
@ApiTags('reviews')
@Controller('api/v1/reviews')
export class AskUploaderController {
  constructor(
    private readonly desk: ReviewDesk,
    private readonly questions: AskUploader,
  ) {}

  /** Mails the question; the review waits for the answer. */
  @Post(':id/ask-uploader')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  async ask(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Ask }) { question, answerWithinMinutes }: z.infer<typeof Ask>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewDetail> {
    const review = await this.desk.seen(id, principal);
    await this.questions.ask(review, question, answerWithinMinutes * MINUTE, speaker(principal));
    return this.desk.shown(id, principal);
  }
}
