import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, type Principal } from '../access/principal.js';
import { instant, ReviewId, text } from './request-fields.js';
import { ReviewDesk } from './review-desk.js';
import { ReviewDetail } from './review.view.js';
import { MAX_REASON_LENGTH } from './rules/command.js';
import { CommentsOnReviews, DecidesReviews } from './review-access.js';

const Reassign = z
  .object({ to: text(100).min(1), reason: text(MAX_REASON_LENGTH).default('') })
  .meta({ id: 'ReviewReassign' });
const Delegate = z
  .object({ to: text(100).min(1), reason: text(MAX_REASON_LENGTH).default('') })
  .meta({ id: 'ReviewDelegate' });
const Decide = z
  .object({
    outcome: text(60).min(1),
    reason: text(MAX_REASON_LENGTH).default(''),
    /** `subjectDigest` of what was shown; a decision on something else is refused. */
    digest: text(64).optional(),
    /** What was filled into the question's form. */
    form: z.record(z.string().max(200), z.unknown()).optional(),
  })
  .meta({ id: 'ReviewDecide' });
const Skip = z.object({ reason: text(MAX_REASON_LENGTH).min(1) }).meta({ id: 'ReviewSkip' });
const Hold = z
  .object({ until: instant, reason: text(MAX_REASON_LENGTH).default('') })
  .meta({ id: 'ReviewHold' });
const Postpone = z
  .object({ dueAt: instant, reason: text(MAX_REASON_LENGTH).default('') })
  .meta({ id: 'ReviewPostpone' });
const Ask = z.object({ question: text(MAX_REASON_LENGTH).min(1) }).meta({ id: 'ReviewAsk' });
const Answer = z.object({ text: text(MAX_REASON_LENGTH).min(1) }).meta({ id: 'ReviewAnswer' });
const Comment = z.object({ text: text(10_000).min(1) }).meta({ id: 'ReviewComment' });

/** What people do with a review. Of two at once one wins, and the other is told who and when (409). */
@ApiTags('reviews')
@Controller('api/v1/reviews')
export class ReviewActionsController {
  constructor(private readonly desk: ReviewDesk) {}

  @Post(':id/claim')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  claim(@Param('id', { schema: ReviewId }) id: string, @CurrentPrincipal() principal: Principal) {
    return this.desk.act(id, { kind: 'claim' }, principal);
  }

  @Post(':id/release')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  release(@Param('id', { schema: ReviewId }) id: string, @CurrentPrincipal() principal: Principal) {
    return this.desk.act(id, { kind: 'release' }, principal);
  }

  @Post(':id/reassign')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  async reassign(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Reassign }) body: z.infer<typeof Reassign>,
    @CurrentPrincipal() principal: Principal,
  ) {
    const to = await this.desk.reviewer('to', body.to);
    return this.desk.act(id, { kind: 'reassign', to, reason: body.reason }, principal);
  }

  /** Hands it on and stays responsible: given back, it returns to them. */
  @Post(':id/delegate')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  async delegate(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Delegate }) body: z.infer<typeof Delegate>,
    @CurrentPrincipal() principal: Principal,
  ) {
    const to = await this.desk.reviewer('to', body.to);
    return this.desk.act(id, { kind: 'delegate', to, reason: body.reason }, principal);
  }

  @Post(':id/decide')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  decide(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Decide }) body: z.infer<typeof Decide>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.desk.act(id, { kind: 'decide', ...body }, principal);
  }

  /** Takes the own vote back, as long as it has not decided. */
  @Post(':id/withdraw')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  withdraw(@Param('id', { schema: ReviewId }) id: string, @CurrentPrincipal() principal: Principal) {
    return this.desk.act(id, { kind: 'withdraw' }, principal);
  }

  /** The workflow goes on without an answer. */
  @Post(':id/skip')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  skip(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Skip }) { reason }: z.infer<typeof Skip>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.desk.act(id, { kind: 'skip', reason }, principal);
  }

  @Post(':id/hold')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  hold(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Hold }) { until, reason }: z.infer<typeof Hold>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.desk.act(id, { kind: 'hold', until: Date.parse(until), reason }, principal);
  }

  /** Ends a hold, or the wait for an answer. */
  @Post(':id/resume')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  resume(@Param('id', { schema: ReviewId }) id: string, @CurrentPrincipal() principal: Principal) {
    return this.desk.act(id, { kind: 'resume' }, principal);
  }

  /** Asks back; the review waits for the answer. */
  @Post(':id/ask')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  ask(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Ask }) { question }: z.infer<typeof Ask>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.desk.act(id, { kind: 'ask', question }, principal);
  }

  @Post(':id/answer')
  @HttpCode(200)
  @CommentsOnReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  answer(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Answer }) body: z.infer<typeof Answer>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.desk.act(id, { kind: 'answer', text: body.text }, principal);
  }

  /** Moves the deadline; reminders and escalation move with it. */
  @Post(':id/postpone')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  postpone(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Postpone }) { dueAt, reason }: z.infer<typeof Postpone>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.desk.act(id, { kind: 'postpone', dueAt: Date.parse(dueAt), reason }, principal);
  }

  @Post(':id/comment')
  @HttpCode(200)
  @CommentsOnReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  comment(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Comment }) body: z.infer<typeof Comment>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewDetail> {
    return this.desk.comment(id, body.text, principal);
  }
}
