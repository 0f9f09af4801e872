import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ReadsFindings } from '../access/findings-read.js';
import { CurrentPrincipal, hasRole, OrGrant, READERS, Roles, type Principal } from '../access/principal.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { decodeCursor, encodeCursor, isUuid } from '../cursor.js';
import { Database } from '../database/database.js';
import { Forbidden, InvalidInput } from '../errors.js';
import type { Review } from './review.js';
import {
  detailOf,
  ReviewDetail,
  ReviewerList,
  ReviewList,
  ReviewsWaiting,
  summaryOf,
} from './review.view.js';
import { Reviewers } from './reviewers.js';
import { ReviewsService } from './reviews.service.js';
import { REVIEW_STATES, WAITING_STATES, type Person, type Reviewer } from './rules/review.js';
import { MAX_REASON_LENGTH, type ReviewCommand } from './rules/command.js';
import { placeIn, type InboxView } from './sql/list-reviews.js';
import { reviewTimeline } from './sql/review-events.js';
import { waitingReviews } from './sql/waiting-reviews.js';

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((s) => !s.includes('\u0000') && s.isWellFormed(), 'must not contain NUL or lone surrogates');

const ReviewId = z.uuid('is not the id of a review');

const ListQuery = z.object({
  /** One or more states, by comma; `WAITING` is all in which somebody can still decide. */
  state: z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(z.enum([...REVIEW_STATES, 'WAITING'])).min(1))
    .transform((states) => [
      ...new Set(states.flatMap((state) => (state === 'WAITING' ? WAITING_STATES : [state]))),
    ])
    .optional(),
  /** `true` is `view=mine`. */
  mine: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true'),
  /** `mine`: I have it; `asked`: I may take it; `unassigned`: nobody has it; `breached`: past its deadline. */
  view: z.enum(['mine', 'asked', 'unassigned', 'breached']).optional(),
  queue: text(100).optional(),
  /** `due`: what is due first, of those that wait. */
  sort: z.enum(['created', 'due']).default('created'),
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
    /** What was filled into the question's form. */
    form: z.record(z.string().max(200), z.unknown()).optional(),
  })
  .meta({ id: 'ReviewDecide' });
const Skip = z.object({ reason: text(MAX_REASON_LENGTH).min(1) }).meta({ id: 'ReviewSkip' });
const instant = z.iso.datetime({ offset: true, message: 'must be a time such as 2026-12-24T09:00:00Z' });
const Hold = z
  .object({ until: instant, reason: text(MAX_REASON_LENGTH).default('') })
  .meta({ id: 'ReviewHold' });
const Postpone = z
  .object({ dueAt: instant, reason: text(MAX_REASON_LENGTH).default('') })
  .meta({ id: 'ReviewPostpone' });
const Ask = z.object({ question: text(MAX_REASON_LENGTH).min(1) }).meta({ id: 'ReviewAsk' });
const Answer = z.object({ text: text(MAX_REASON_LENGTH).min(1) }).meta({ id: 'ReviewAnswer' });
const Comment = z.object({ text: text(10_000).min(1) }).meta({ id: 'ReviewComment' });

/** The web inbox: what waits for a person, the evidence, and the answer. */
@ApiTags('reviews')
@Controller('api/v1/reviews')
export class ReviewsController {
  constructor(
    private readonly reviews: ReviewsService,
    private readonly reviewers: Reviewers,
    private readonly db: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @OrGrant('approver')
  @Roles(...READERS, 'approver')
  @ApiOkResponse({ standardSchema: ReviewList })
  async list(
    @Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof ReviewList>> {
    const found = await this.reviews.list({
      states: query.state,
      queue: query.queue,
      queues: queuesOf(principal, SEES_ALL),
      view: await this.viewOf(query.mine ? 'mine' : query.view, principal),
      order: query.sort,
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
        found.length > page.length && last !== undefined ? encodeCursor(placeIn(query.sort, last)) : null,
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

  /** Who may be asked: for giving a review to somebody. */
  @Get('reviewers')
  @OrGrant('approver')
  @Roles(...READERS, 'approver')
  @ApiOkResponse({ standardSchema: ReviewerList })
  async people(): Promise<z.infer<typeof ReviewerList>> {
    const people = await this.reviewers.list();
    return {
      items: people.map(({ personId, name, groups = [] }) => ({ id: personId, name, groups: [...groups] })),
    };
  }

  @Get(':id')
  @ReadsFindings('review')
  @OrGrant('approver')
  @Roles(...READERS, 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  get(
    @Param('id', { schema: ReviewId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewDetail> {
    return this.shown(id, principal);
  }

  @Post(':id/claim')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  claim(@Param('id', { schema: ReviewId }) id: string, @CurrentPrincipal() principal: Principal) {
    return this.act(id, { kind: 'claim' }, principal);
  }

  @Post(':id/release')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  release(@Param('id', { schema: ReviewId }) id: string, @CurrentPrincipal() principal: Principal) {
    return this.act(id, { kind: 'release' }, principal);
  }

  @Post(':id/reassign')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  async reassign(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Reassign }) body: z.infer<typeof Reassign>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.act(id, { kind: 'reassign', to: await this.reviewer(body.to) }, principal);
  }

  /** Hands it on and stays responsible: released, it comes back. */
  @Post(':id/delegate')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  async delegate(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Reassign }) body: z.infer<typeof Reassign>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.act(id, { kind: 'delegate', to: await this.reviewer(body.to) }, principal);
  }

  @Post(':id/decide')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  decide(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Decide }) body: z.infer<typeof Decide>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.act(id, { kind: 'decide', ...body }, principal);
  }

  /** Takes the own vote back, as long as it has not decided. */
  @Post(':id/withdraw')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  withdraw(@Param('id', { schema: ReviewId }) id: string, @CurrentPrincipal() principal: Principal) {
    return this.act(id, { kind: 'withdraw' }, principal);
  }

  /** The workflow goes on without an answer. */
  @Post(':id/skip')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  skip(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Skip }) { reason }: z.infer<typeof Skip>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.act(id, { kind: 'skip', reason }, principal);
  }

  @Post(':id/hold')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  hold(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Hold }) { until, reason }: z.infer<typeof Hold>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.act(id, { kind: 'hold', until: Date.parse(until), reason }, principal);
  }

  /** Ends a hold, or the wait for an answer. */
  @Post(':id/resume')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  resume(@Param('id', { schema: ReviewId }) id: string, @CurrentPrincipal() principal: Principal) {
    return this.act(id, { kind: 'resume' }, principal);
  }

  /** Asks back; the review waits for the answer. */
  @Post(':id/ask')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  ask(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Ask }) { question }: z.infer<typeof Ask>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.act(id, { kind: 'ask', question }, principal);
  }

  @Post(':id/answer')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver', 'author', 'operator')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  answer(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Answer }) body: z.infer<typeof Answer>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.act(id, { kind: 'answer', text: body.text }, principal);
  }

  /** Moves the deadline; reminders and escalation move with it. */
  @Post(':id/postpone')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  postpone(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Postpone }) { dueAt, reason }: z.infer<typeof Postpone>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.act(id, { kind: 'postpone', dueAt: Date.parse(dueAt), reason }, principal);
  }

  @Post(':id/comment')
  @HttpCode(200)
  @OrGrant('approver')
  @Roles('analyst', 'approver', 'author', 'operator')
  @ApiOkResponse({ standardSchema: ReviewDetail })
  async comment(
    @Param('id', { schema: ReviewId }) id: string,
    @Body({ schema: Comment }) body: z.infer<typeof Comment>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewDetail> {
    await this.seen(id, principal);
    await this.reviews.comment(id, body.text, speaker(principal));
    return this.shown(id, principal);
  }

  private async viewOf(
    kind: InboxView['kind'] | undefined,
    { id: personId }: Principal,
  ): Promise<InboxView | undefined> {
    switch (kind) {
      case undefined:
      case 'unassigned':
        return kind && { kind };
      case 'mine':
        return { kind, personId };
      case 'breached':
        return { kind, now: Math.round(this.clock.now()) };
      case 'asked': {
        const me = (await this.reviewers.list()).find((person) => person.personId === personId);
        return { kind, personId, groups: me?.groups ?? [] };
      }
      default:
        return kind satisfies never;
    }
  }

  private async reviewer(personId: string): Promise<Person> {
    const to = (await this.reviewers.list()).find((person) => person.personId === personId);
    if (to === undefined)
      throw InvalidInput.field(
        'to',
        'is not the id of somebody who may decide (an analyst, approver or admin)',
      );
    return { id: to.personId, name: to.name };
  }

  private async act(id: string, command: ReviewCommand, principal: Principal): Promise<ReviewDetail> {
    await this.seen(id, principal);
    await this.reviews.act(id, command, speaker(principal));
    return this.shown(id, principal);
  }

  /** @throws NotFound; Forbidden for a review of a queue that is none of theirs. */
  private async seen(id: string, principal: Principal): Promise<Review> {
    const review = await this.reviews.get(id);
    const queues = queuesOf(principal, SEES_ALL);
    if (queues !== undefined && !queues.includes(review.policy.queue))
      throw new Forbidden(`This review is in the queue ${review.policy.queue}, which you have no grant for.`);
    return review;
  }

  private async shown(id: string, principal: Principal): Promise<ReviewDetail> {
    const review = await this.seen(id, principal);
    return detailOf(review, await reviewTimeline(this.db, id), this.config.DRY_RUN);
  }
}

/** The queues to which somebody's grants keep them; `undefined` for who has one of the roles, and with it all queues. */
const queuesOf = (
  principal: Principal,
  roles: Parameters<typeof hasRole>[1],
): readonly string[] | undefined =>
  hasRole(principal, roles)
    ? undefined
    : (principal.grants ?? []).filter(({ role }) => role === 'approver').map(({ scope }) => scope);

/** Who reads all reviews. */
const SEES_ALL = [...READERS, 'approver'] as const;

const speaker = (principal: Principal): Reviewer => ({
  id: principal.id,
  name: principal.name,
  isAdmin: principal.roles.includes('admin'),
  queues: queuesOf(principal, ['analyst', 'approver']),
  via: principal.method === 'apikey' ? 'api' : 'web',
  method: principal.method,
});
