import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ReadsFindings } from '../access/findings-read.js';
import { CurrentPrincipal, READERS, Roles, type Principal } from '../access/principal.js';
import { CONFIG, type Config } from '../config.js';
import { decodeCursor, encodeCursor, isUuid } from '../cursor.js';
import { Database } from '../database/database.js';
import { InvalidInput } from '../errors.js';
import { detailOf, ReviewDetail, ReviewList, ReviewsWaiting, summaryOf } from './review.view.js';
import { Reviewers } from './reviewers.js';
import { ReviewsService } from './reviews.service.js';
import { REVIEW_STATES, type Reviewer } from './rules/review.js';
import { MAX_REASON_LENGTH, type ReviewCommand } from './rules/transition.js';
import { reviewTimeline } from './sql/review-events.js';
import { waitingReviews } from './sql/waiting-reviews.js';

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((s) => !s.includes('\u0000') && s.isWellFormed(), 'must not contain NUL or lone surrogates');

const ReviewId = z.uuid('is not the id of a review');

const ListQuery = z.object({
  /** One or more states, by comma. */
  state: z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(z.enum(REVIEW_STATES)).min(1))
    .optional(),
  mine: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true'),
  scanId: text(100).optional(),
  workflowId: text(255).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: text(200).optional(),
});

const Reassign = z.object({ to: text(100).min(1) }).meta({ id: 'ReviewReassign' });
const Decide = z
  .object({
    outcome: text(60).min(1),
    reason: text(MAX_REASON_LENGTH).default(''),
    /** `subjectDigest` of what was shown; a decision on something else is refused. */
    digest: text(64).optional(),
  })
  .meta({ id: 'ReviewDecide' });
const Comment = z.object({ text: text(10_000).min(1) }).meta({ id: 'ReviewComment' });

/** The web inbox: what waits for a person, the evidence, and the answer. */
@ApiTags('reviews')
@Controller('api/v1/reviews')
export class ReviewsController {
  constructor(
    private readonly reviews: ReviewsService,
    private readonly reviewers: Reviewers,
    private readonly db: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @Roles(...READERS, 'approver')
  @ApiOkResponse({ standardSchema: ReviewList })
  async list(
    @Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof ReviewList>> {
    const found = await this.reviews.list({
      states: query.state,
      claimedBy: query.mine ? principal.id : undefined,
      scanId: query.scanId,
      workflowId: query.workflowId,
      after: query.cursor === undefined ? undefined : decodeCursor(query.cursor, isUuid),
      limit: query.limit + 1,
    });
    const page = found.slice(0, query.limit);
    const last = page.at(-1);
    return {
      items: page.map((review) => summaryOf(review, this.config.DRY_RUN)),
      nextCursor:
        found.length > page.length && last !== undefined
          ? encodeCursor({ at: last.createdAt, id: last.id })
          : null,
    };
  }

  /** How many wait for a person, at a glance. */
  @Get('waiting')
  @Roles(...READERS, 'approver')
  @ApiOkResponse({ standardSchema: ReviewsWaiting })
  async waiting(@CurrentPrincipal() principal: Principal): Promise<z.infer<typeof ReviewsWaiting>> {
    const { oldestAt, ...counts } = await waitingReviews(this.db, principal.id);
    return { ...counts, oldestAt: oldestAt === null ? null : new Date(oldestAt).toISOString() };
  }

  @Get(':id')
  @ReadsFindings('review')
  @Roles(...READERS, 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  get(@Param('id', { schema: ReviewId }) id: string): Promise<ReviewDetail> {
    return this.shown(id);
  }

  @Post(':id/claim')
  @HttpCode(200)
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  claim(@Param('id', { schema: ReviewId }) id: string, @CurrentPrincipal() principal: Principal) {
    return this.act(id, { kind: 'claim' }, principal);
  }

  @Post(':id/release')
  @HttpCode(200)
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  release(@Param('id', { schema: ReviewId }) id: string, @CurrentPrincipal() principal: Principal) {
    return this.act(id, { kind: 'release' }, principal);
  }

  @Post(':id/reassign')
  @HttpCode(200)
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  async reassign(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Reassign }) body: z.infer<typeof Reassign>,
    @CurrentPrincipal() principal: Principal,
  ) {
    const to = (await this.reviewers.list()).find((person) => person.personId === body.to);
    if (to === undefined)
      throw InvalidInput.field(
        'to',
        'is not the id of somebody who may decide (an analyst, approver or admin)',
      );
    return this.act(id, { kind: 'reassign', to: { id: to.personId, name: to.name } }, principal);
  }

  @Post(':id/decide')
  @HttpCode(200)
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  decide(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Decide }) body: z.infer<typeof Decide>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.act(id, { kind: 'decide', ...body }, principal);
  }

  @Post(':id/comment')
  @HttpCode(200)
  @Roles('analyst', 'approver', 'author', 'operator')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  async comment(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Comment }) body: z.infer<typeof Comment>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewDetail> {
    await this.reviews.comment(id, body.text, speaker(principal));
    return this.shown(id);
  }

  private async act(id: string, command: ReviewCommand, principal: Principal): Promise<ReviewDetail> {
    await this.reviews.act(id, command, speaker(principal));
    return this.shown(id);
  }

  private async shown(id: string): Promise<ReviewDetail> {
    const review = await this.reviews.get(id);
    return detailOf(review, await reviewTimeline(this.db, id), this.config.DRY_RUN);
  }
}

const speaker = (principal: Principal): Reviewer => ({
  id: principal.id,
  name: principal.name,
  isAdmin: principal.roles.includes('admin'),
  via: principal.method === 'apikey' ? 'api' : 'web',
  method: principal.method,
});
