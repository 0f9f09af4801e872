import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, VIEWERS, Roles, type Principal } from '../../access/principal.js';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { NotFound } from '../../errors.js';
import { MessageQueues } from '../../s3/message-queues.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { watchedQueues } from '../sql/dead-letter-watch.js';
import { DeadLetters, type Redriven } from './dead-letters.js';
import { eventQueues } from './event-queues.js';

const EventQueueView = z
  .object({
    name: z.string(),
    url: z.string(),
    /** As SQS approximates it; null until it was asked. */
    waiting: z.number().nullable(),
    deadLetterQueue: z.string().nullable(),
    deadLetters: z.number().nullable(),
    checkedAt: z.string().nullable(),
    problem: z.string().nullable(),
    remedy: z.string().nullable(),
  })
  .meta({ id: 'EventQueue' });
const EventQueueList = z.object({ items: z.array(EventQueueView) });
type EventQueueList = z.infer<typeof EventQueueList>;

const Name = z.string().min(1).max(100);

/** The queues that events come from, and their dead-letter queues. */
@Controller('api/v1/event-queues')
export class EventQueuesController {
  private readonly letters: DeadLetters;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    queues: MessageQueues,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.letters = new DeadLetters(queues, clock);
  }

  @Get()
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: EventQueueList })
  async list(): Promise<EventQueueList> {
    const known = eventQueues(this.config);
    const rows = await watchedQueues(
      this.database,
      known.map(({ name }) => name),
    );
    return {
      items: known.map(({ name, url }) => {
        const row = rows.find(({ queue }) => queue === name);
        return {
          name,
          url,
          waiting: row?.waiting ?? null,
          deadLetterQueue: row?.dead_letter_name ?? null,
          deadLetters: row?.depth ?? null,
          checkedAt: row === undefined ? null : new Date(row.checked_at).toISOString(),
          problem: row?.problem ?? null,
          remedy: row?.remedy ?? null,
        };
      }),
    };
  }

  /** Sends the messages of its dead-letter queue back to it. */
  @Post(':name/redrive')
  @HttpCode(200)
  @Roles('operator')
  async redrive(
    @Param('name', { schema: Name }) name: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Redriven> {
    const queue = eventQueues(this.config).find((one) => one.name === name);
    if (queue === undefined) {
      throw new NotFound('There is no event queue of this name. GET /api/v1/event-queues names them.');
    }
    // Before it is done: what then fails half-way was begun by somebody.
    await appendAudit(this.database, [
      {
        at: wholeMilliseconds(this.clock),
        actor: auditActor(principal),
        action: 'event_queue.redriven',
        subject: `event_queue:${name}`,
        data: {},
      },
    ]);
    return this.letters.redrive(queue);
  }
}
