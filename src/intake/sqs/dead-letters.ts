import type { Clock } from '../../clock.js';
import { NotFound } from '../../errors.js';
import type { MessageQueues, QueueFacts } from '../../s3/message-queues.js';
import { QueueError, type QueueTrouble } from '../../s3/queue-error.js';
import type { EventQueue } from './event-queues.js';

/** The dead-letter queue of an event queue. */
export interface DeadLetterQueue {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
}

/** How messages went back: SQS moves them by itself, or they were moved here. */
export type Redriven =
  | { readonly method: 'task' }
  | { readonly method: 'moved'; readonly moved: number; readonly isWhole: boolean };

// One request must be answered before its client gives up.
const MOVE_FOR_MS = 15_000;
const MOVE_MAX = 1_000;
const VISIBILITY_SECONDS = 60;
/** Servers that do not know the call say so in many ways; a task that runs already is one of them too, and does no harm. */
const BY_HAND: ReadonlySet<QueueTrouble> = new Set(['unsupported', 'other']);

/** Finds the dead-letter queues of event queues, and sends their messages back to where they came from. */
export class DeadLetters {
  /** By ARN: a queue keeps its address. */
  private readonly urls = new Map<string, string>();

  constructor(
    private readonly queues: MessageQueues,
    private readonly clock: Clock,
  ) {}

  /** @throws QueueError */
  async look(queue: EventQueue): Promise<{ facts: QueueFacts; dead?: DeadLetterQueue; depth: number }> {
    const facts = await this.queues.facts(queue.url);
    if (facts.deadLetterArn === undefined) return { facts, depth: 0 };
    const dead = await this.deadLetterQueue(facts.deadLetterArn, queue);
    const { waiting } = await this.queues.facts(dead.url);
    return { facts, dead, depth: waiting };
  }

  /**
   * Sends back what is in the dead-letter queue. Where SQS offers to, it moves all of it in its own time; else up to a
   * thousand are copied and then deleted, so that a message may come twice but is never lost.
   *
   * @throws QueueError, NotFound
   */
  async redrive(queue: EventQueue): Promise<Redriven> {
    const { deadLetterArn } = await this.queues.facts(queue.url);
    if (deadLetterArn === undefined) {
      throw new NotFound(
        `The queue ${queue.name} has no dead-letter queue. Give it a redrive policy in SQS.`,
      );
    }
    const dead = await this.deadLetterQueue(deadLetterArn, queue);
    try {
      await this.queues.startMove(dead.arn, queue.url);
      return { method: 'task' };
    } catch (error) {
      if (!(error instanceof QueueError) || !BY_HAND.has(error.trouble)) throw error;
      return this.move(dead, queue);
    }
  }

  private async move(dead: DeadLetterQueue, queue: EventQueue): Promise<Redriven> {
    const until = this.clock.now() + MOVE_FOR_MS;
    let moved = 0;
    while (moved < MOVE_MAX && this.clock.now() < until) {
      const wanted = { waitSeconds: 1, visibilitySeconds: VISIBILITY_SECONDS };
      const messages = await this.queues.receive(dead.url, wanted);
      if (messages.length === 0) return { method: 'moved', moved, isWhole: true };
      const refused = await this.queues.send(queue.url, messages);
      const sent = messages.filter((message) => !refused.includes(message));
      await this.queues.remove(dead.url, sent);
      moved += sent.length;
      if (sent.length === 0) break;
    }
    return { method: 'moved', moved, isWhole: false };
  }

  private async deadLetterQueue(arn: string, queue: EventQueue): Promise<DeadLetterQueue> {
    const url = this.urls.get(arn) ?? (await this.queues.urlOf(arn, queue.url));
    this.urls.set(arn, url);
    return { arn, url, name: arn.split(':').at(-1) ?? arn };
  }
}
