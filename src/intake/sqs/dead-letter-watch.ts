import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Gauge, type Registry } from 'prom-client';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { HealthCheck, HealthRegistry, type HealthResult } from '../../ops/health.js';
import { LOG, type Log } from '../../ops/log.js';
import { METRICS } from '../../ops/metrics.js';
import { Alerts } from '../../outbound/alerts.js';
import { Recurring } from '../../recurring.js';
import { MessageQueues } from '../../s3/message-queues.js';
import { QueueError } from '../../s3/queue-error.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import {
  claimLook,
  lockWatched,
  watchedQueues,
  writeWatched,
  type WatchedQueue,
} from '../sql/dead-letter-watch.js';
import { DeadLetters } from './dead-letters.js';
import { eventQueues, type EventQueue } from './event-queues.js';

const EVERY_MS = 60_000;
// A little less, so that a node whose turn comes early does not leave it out.
const LOOK_AFTER_MS = 50_000;
/** S3's messages have up to 64 KB; a queue that takes less loses the large ones without a word. */
const MIN_MESSAGE_BYTES = 65_536;

/** Looks once a minute, one node for all, into the dead-letter queues of the event queues, and tells when they fill. */
@Injectable()
export class DeadLetterWatch
  extends HealthCheck
  implements OnApplicationBootstrap, BeforeApplicationShutdown
{
  readonly name = 'dead_letters';
  private readonly loop: Recurring;
  private readonly letters: DeadLetters;
  private readonly watched: readonly EventQueue[];
  /** As this process last read it. */
  private seen: readonly WatchedQueue[] = [];

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    queues: MessageQueues,
    private readonly alerts: Alerts,
    private readonly health: HealthRegistry,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(METRICS) private readonly metrics: Registry,
    @Inject(LOG) log: Log,
  ) {
    super();
    this.letters = new DeadLetters(queues, clock);
    this.watched = eventQueues(config);
    this.loop = new Recurring({
      clock,
      log,
      everyMs: EVERY_MS,
      onFailure: 'the dead-letter queues could not be looked at; it is tried again',
      turn: () => this.turn(),
    });
  }

  onApplicationBootstrap(): void {
    if (this.watched.length === 0 || !this.config.ROLES.includes('intake')) return;
    this.health.add(this);
    const depths = (): readonly WatchedQueue[] => this.seen;
    this.metrics.registerMetric(
      new Gauge({
        name: 'sallyport_sqs_dead_letters',
        help: 'Messages in the dead-letter queue of an event queue, as SQS approximates it; shared by all processes',
        labelNames: ['queue'],
        registers: [],
        collect() {
          for (const { queue, depth } of depths()) this.set({ queue }, depth);
        },
      }),
    );
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  async turn(): Promise<void> {
    for (const queue of this.watched) {
      const now = wholeMilliseconds(this.clock);
      const isOurs = await claimLook(this.database, queue.name, { now, since: now - LOOK_AFTER_MS });
      if (isOurs) await this.look(queue, now);
    }
    this.seen = await watchedQueues(
      this.database,
      this.watched.map(({ name }) => name),
    );
  }

  private async look(queue: EventQueue, now: number): Promise<void> {
    const seen = await this.ask(queue);
    await this.database.transaction(async (tx) => {
      const row = await lockWatched(tx, queue.name);
      if (row === undefined) return;
      // What could not be asked is as it was.
      const depth = seen.depth ?? row.depth;
      const isRise = depth > row.told_depth;
      if (isRise) {
        await this.alerts.tell(tx, alertOf(queue, seen.dead_letter_name, depth, now));
      }
      // SQS's numbers waver; only when half of them are gone is the next rise another one.
      const toldDepth = isRise ? depth : depth <= row.told_depth / 2 ? depth : row.told_depth;
      await writeWatched(tx, { ...seen, queue: queue.name, depth, told_depth: toldDepth });
    });
  }

  private async ask(queue: EventQueue) {
    try {
      const { facts, dead, depth } = await this.letters.look(queue);
      const isSmall = (facts.maxMessageBytes ?? MIN_MESSAGE_BYTES) < MIN_MESSAGE_BYTES;
      return {
        waiting: facts.waiting,
        dead_letter_name: dead?.name ?? null,
        depth,
        problem: isSmall ? `it takes messages of ${facts.maxMessageBytes} bytes at most` : null,
        remedy: isSmall ? `Set its MaximumMessageSize to ${MIN_MESSAGE_BYTES} or more.` : null,
      };
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      const { said, remedy } = error;
      return { waiting: null, dead_letter_name: null, depth: undefined, problem: said, remedy };
    }
  }

  check(): readonly HealthResult[] {
    return this.seen.map(({ queue, depth, problem, remedy, dead_letter_name: dead }) => {
      const name = `dead_letters:${queue}`;
      if (depth > 0) {
        const detail = `${depth} message(s) in the dead-letter queue: what they tell of is not scanned`;
        const mend = `Mend the reason, then send them back: sallyport event-queues redrive ${queue}`;
        return { name, healthy: true, degraded: true, detail, remedy: mend };
      }
      if (problem !== null) {
        return { name, healthy: true, degraded: true, detail: problem, remedy: remedy ?? undefined };
      }
      return { name, healthy: true, detail: dead === null ? 'the queue has no dead-letter queue' : 'empty' };
    });
  }
}

const alertOf = (queue: EventQueue, dead: string | null, depth: number, now: number) => ({
  key: `dead-letters:${queue.name}:${now}`,
  subject: `${depth} message(s) in the dead-letter queue of ${queue.name}`,
  lines: [
    `The queue ${queue.name} gave up on ${depth} message(s); they are in ${dead ?? 'its dead-letter queue'}.`,
    'What they tell of was not scanned, unless another event told of it.',
  ],
  remedy: `Mend the reason (the log of that time, access to the queue), then: sallyport event-queues redrive ${queue.name}`,
});
