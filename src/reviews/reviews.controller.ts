import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ReadsFindings } from '../access/findings-read.js';
import { CurrentPrincipal, READERS, Roles, type Principal } from '../access/principal.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { decodeCursor, encodeCursor, isUuid } from '../cursor.js';
import { Database } from '../database/database.js';
import { ReviewDesk, seenQueues } from './review-desk.js';
import { ReviewDetail, ReviewerList, ReviewList, ReviewsWaiting, summaryOf } from './review.view.js';
import { Reviewers } from './reviewers.js';
import { ReviewsService } from './reviews.service.js';
import { REVIEW_STATES, WAITING_STATES } from './rules/review.js';
import { placeIn, REVIEW_ORDERS, type InboxView } from './sql/list-reviews.js';
import { searchQuery } from './sql/search.js';
import { ReviewId, text } from './request-fields.js';
import { waitingReviews } from './sql/waiting-reviews.js';
import { SeesReviews } from './review-access.js';

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
  /** Words, or their beginnings, of title, bucket, key and comments; all must be there. */
  q: text(200)
    .transform((typed, context) => {
      const query = searchQuery(typed);
      if (query !== undefined) return query;
      context.addIssue({ code: 'custom', message: 'must hold a letter or a digit' });
      return z.NEVER;
    })
    .optional(),
  /** `due` and `risk`: what is due, or gravest, first, of those that wait. */
  sort: z.enum(REVIEW_ORDERS).default('created'),
  scanId: text(100).optional(),
  workflowId: text(255).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: text(200).optional(),
});

/** The inbox: what waits for a person, and the evidence. */
@ApiTags('reviews')
@Controller('api/v1/reviews')
export class ReviewsController {
  constructor(
    private readonly reviews: ReviewsService,
    private readonly desk: ReviewDesk,
    private readonly reviewers: Reviewers,
    private readonly db: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @SeesReviews()
  @ApiOkResponse({ standardSchema: ReviewList })
  async list(
    @Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof ReviewList>> {
    const found = await this.reviews.list({
      states: query.state,
      queue: query.queue,
      queues: seenQueues(principal),
      view: await this.viewOf(query.mine ? 'mine' : query.view, principal),
      search: query.q,
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
  @SeesReviews()
  @ApiOkResponse({ standardSchema: ReviewerList })
  async people(): Promise<z.infer<typeof ReviewerList>> {
    const people = await this.reviewers.list();
    return {
      items: people.map(({ personId, name, groups = [] }) => ({ id: personId, name, groups: [...groups] })),
    };
  }

  @Get(':id')
  @ReadsFindings('review')
  @SeesReviews()
  @ApiOkResponse({ standardSchema: ReviewDetail })
  get(
    @Param('id', { schema: ReviewId }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReviewDetail> {
    return this.desk.shown(id, principal);
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
}
