import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Counter, Gauge, type Registry } from 'prom-client';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { HealthCheck, HealthRegistry, type HealthResult } from '../../ops/health.js';
import { LOG, type Log } from '../../ops/log.js';
import { METRICS } from '../../ops/metrics.js';
import { MessageQueues } from '../../s3/message-queues.js';
import { eventQueues } from './event-queues.js';
import { QueueIntake } from './queue-intake.js';
import { QueuePoller } from './queue-poller.js';
import { ReceiverRoom } from './receiver-room.js';

/** Polls the queues of SQS_QUEUE_URLS where the role `intake` is, and says how they are. */
@Injectable()
export class SqsService extends HealthCheck implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly name = 'sqs';
  private readonly pollers: readonly QueuePoller[];
  private readonly named: readonly string[];

  constructor(
    intake: QueueIntake,
    queues: MessageQueues,
    private readonly clock: Clock,
    private readonly health: HealthRegistry,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(METRICS) private readonly metrics: Registry,
    @Inject(LOG) log: Log,
  ) {
    super();
    const messages = new Counter({
      name: 'sallyport_sqs_messages_total',
      help: 'Messages of event queues by what became of them here',
      labelNames: ['queue', 'result'],
      registers: [],
    });
    const room = new ReceiverRoom(config.SQS_RECEIVERS);
    this.pollers = (config.ROLES.includes('intake') ? eventQueues(config) : []).map(
      ({ url, name }) =>
        new QueuePoller({
          url,
          name,
          queues,
          intake,
          room,
          clock,
          log,
          count: (result, count) => messages.inc({ queue: name, result }, count),
        }),
    );
    this.named = eventQueues(config).map(({ name }) => name);
    if (this.pollers.length > 0) this.metrics.registerMetric(messages);
  }

  onApplicationBootstrap(): void {
    if (this.pollers.length === 0) return;
    this.metrics.registerMetric(this.receiverGauge());
    this.health.add(this);
    for (const poller of this.pollers) poller.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.pollers.map((poller) => poller.stop()));
  }

  check(): readonly HealthResult[] {
    return this.pollers.map(({ state, receiving }, index) => {
      const name = `sqs:${this.named[index] ?? ''}`;
      if (state.trouble === undefined) {
        return { name, healthy: true, state: 'ok', detail: `answers; ${receiving} receiver(s)` };
      }
      const seconds = Math.round((this.clock.now() - state.since) / 1000);
      const detail = `no message is received, for ${seconds} s. What is sent to it waits there. It said: ${state.said}`;
      return { name, healthy: true, degraded: true, state: state.trouble, detail, remedy: state.remedy };
    });
  }

  private receiverGauge(): Gauge {
    const { pollers, named } = this;
    return new Gauge({
      name: 'sallyport_sqs_receivers',
      help: 'Receivers that ask a queue for messages at the same time',
      labelNames: ['queue'],
      registers: [],
      collect() {
        for (const [index, { receiving }] of pollers.entries()) {
          this.set({ queue: named[index] ?? '' }, receiving);
        }
      },
    });
  }
}
