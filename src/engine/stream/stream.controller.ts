import { Controller, Get, Headers, Inject, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AccessGuard } from '../../access/access.guard.js';
import { CurrentPrincipal, VIEWERS, type AccessRole, type Principal } from '../../access/principal.js';
import { Clock } from '../../clock.js';
import { Forbidden, InvalidInput, NotFound } from '../../errors.js';
import { ExecutionStore } from '../execution-store.js';
import { ExecutionsQuery, Id, text } from '../rest/schemas.js';
import { Attendance } from './attendance.js';
import { ChangeFeed } from './change-feed.js';
import { EVENT_STREAM, refuseOtherSites, sendEvents } from './event-stream.js';
import { Subscriber, type Interest } from './subscriber.js';

const StreamQuery = z.object({
  workflowId: Id.optional().describe('Follow this one workflow; excludes the other filters.'),
  workflowName: text(255).optional(),
  status: ExecutionsQuery.shape.status.describe('One or more, by comma.'),
  correlationId: text(255).optional(),
  tasks: z
    .enum(['true', 'false'])
    .default('true')
    .transform((value) => value === 'true')
    .describe('false: how the workflows fare, without their tasks.'),
  since: z.coerce
    .number()
    .int()
    .min(-1)
    .optional()
    .describe('With workflowId: the revision that is known already; everything without it.'),
});

/** Who may hear of all workflows; a worker's key only of one that it can name. */
const SEES_ALL: readonly AccessRole[] = ['admin', ...VIEWERS];

/** What happens, as it happens: server-sent events. */
@ApiTags('executions')
@Controller('api/v1/stream')
export class StreamController {
  constructor(
    @Inject(ExecutionStore) private readonly store: ExecutionStore,
    private readonly feed: ChangeFeed,
    private readonly attendance: Attendance,
    private readonly guard: AccessGuard,
    private readonly clock: Clock,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Changes of workflows and their tasks, live',
    description: [
      'Server-sent events, resumable by Last-Event-ID. Events:',
      '`change`: the newest state of a workflow, and its tasks that changed after revision `since`, without payloads;',
      'whoever knows less than `since` fetches the workflow.',
      '`reset`: something was missed; fetch the workflow that it names, or the list.',
      '`beat`: every 15 s; `behindSince` when the server itself cannot read the newest state.',
      '`end`: the server ends the stream (shutdown, session, gone).',
      'A slow client gets fewer and newer events. 429 and 503 say with Retry-After when to come back.',
    ].join(' '),
  })
  @ApiOkResponse({ description: 'Until one side ends it.', content: { 'text/event-stream': {} } })
  @ApiHeader({ name: 'Last-Event-ID', required: false })
  async open(
    @Query({ schema: StreamQuery }) query: z.infer<typeof StreamQuery>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const interest = interestOf(query);
    checkRight(principal, interest);
    refuseOtherSites(request);
    this.attendance.checkRoom(principal.id);
    const revision = interest.workflowId === undefined ? -1 : await this.revisionOf(interest.workflowId);
    // The routes of GET answer HEAD as well, and nobody would ever read or close that stream.
    if (request.method === 'HEAD') return void (await reply.type(EVENT_STREAM).send());
    const known = revisionIn(lastEventId) ?? query.since ?? -1;
    // Whoever knows more than there is knows another database (a backup was restored).
    const subscriber = new Subscriber(interest, known > revision ? -1 : known, this.clock.now());
    this.attendance.admit({
      principalId: principal.id,
      subscriber,
      reassure: async () => checkRight(await this.guard.identify(request), interest),
    });
    this.feed.add(subscriber, lastEventId);
    await sendEvents(reply, subscriber);
  }

  private async revisionOf(workflowId: string): Promise<number> {
    const revision = (await this.store.revisions([workflowId])).get(workflowId);
    if (revision === undefined) throw new NotFound(`No such workflow found by id: ${workflowId}`);
    return revision;
  }
}

function interestOf({ workflowId, since, ...filter }: z.infer<typeof StreamQuery>): Interest {
  if (workflowId === undefined) {
    if (since !== undefined) throw InvalidInput.field('since', 'only with workflowId; leave it out');
    return filter;
  }
  for (const name of ['workflowName', 'status', 'correlationId'] as const) {
    if (filter[name] !== undefined) {
      throw InvalidInput.field(name, 'not together with workflowId, which names one workflow; leave one out');
    }
  }
  return { workflowId, tasks: filter.tasks };
}

/** @throws Forbidden */
function checkRight({ name, roles }: Principal, { workflowId }: Interest): void {
  if (workflowId !== undefined || roles.some((role) => SEES_ALL.includes(role))) return;
  throw new Forbidden(
    `To listen to all workflows a role of ${SEES_ALL.join(', ')} is needed; ${name} has ${roles.join(', ') || 'none'}. Name one with workflowId.`,
  );
}

/** The revision in the id of an event about one workflow. */
function revisionIn(lastEventId: string | undefined): number | undefined {
  const [, digits] = /^r(\d{1,15})$/.exec(lastEventId ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}
