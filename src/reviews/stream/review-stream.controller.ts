import { Controller, Get, Headers, Inject, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AccessGuard } from '../../access/access.guard.js';
import { CurrentPrincipal, hasRole, READERS, type Principal } from '../../access/principal.js';
import { EVENT_STREAM, refuseOtherSites, sendEvents } from '../../engine/stream/event-stream.js';
import { Forbidden } from '../../errors.js';
import { seenQueues } from '../review-desk.js';
import { ReviewAttendance } from './review-attendance.js';
import { ReviewFeed } from './review-feed.js';
import { ReviewSubscriber } from './review-subscriber.js';
import { SeesReviews } from '../review-access.js';

/** What happens to reviews, as it happens. */
@ApiTags('reviews')
@Controller('api/v1/reviews/stream')
export class ReviewStreamController {
  constructor(
    private readonly feed: ReviewFeed,
    @Inject(ReviewAttendance) private readonly attendance: ReviewAttendance,
    private readonly guard: AccessGuard,
  ) {}

  @Get()
  @SeesReviews()
  @ApiOperation({
    summary: 'Changes of reviews, live, for who may list them',
    description: [
      'Server-sent events, resumable by Last-Event-ID, also at another process and after a restart. Events:',
      '`change`: something happened to a review; its queue, state and version are those of now.',
      '`reset`: not all can be told that came since; load the list again.',
      '`beat`: every 15 s; `behindSince` when the server itself cannot read the newest state.',
      '`end`: the server ends the stream (shutdown, session).',
      'A slow client gets fewer and newer events. 429 and 503 say with Retry-After when to come back.',
    ].join(' '),
  })
  @ApiOkResponse({ description: 'Until one side ends it.', content: { 'text/event-stream': {} } })
  @ApiHeader({ name: 'Last-Event-ID', required: false })
  async open(
    @Headers('last-event-id') lastEventId: string | undefined,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    refuseOtherSites(request);
    this.attendance.checkRoom(principal.id);
    // The routes of GET answer HEAD as well, and nobody would ever read or close that stream.
    if (request.method === 'HEAD') return void (await reply.type(EVENT_STREAM).send());
    const subscriber = new ReviewSubscriber(seenQueues(principal));
    this.attendance.admit({
      principalId: principal.id,
      subscriber,
      reassure: async () => {
        const now = await this.guard.identify(request);
        checkRight(now);
        subscriber.restrict(seenQueues(now));
      },
    });
    this.feed.add(subscriber, lastEventId);
    await sendEvents(reply, subscriber);
  }
}

/** @throws Forbidden for who may see the reviews of no queue any more. */
function checkRight(principal: Principal): void {
  if (hasRole(principal, [...READERS, 'approver']) || (seenQueues(principal) ?? []).length > 0) return;
  throw new Forbidden(`${principal.name} may see the reviews of no queue.`);
}
