import type { Logger } from 'pino';
import type { Clock } from '../../clock.js';
import { MAX_BATCH, type MessageQueues, type QueueMessage } from '../../s3/message-queues.js';
import { QueueError, type QueueTrouble } from '../../s3/queue-error.js';
import type { QueueIntake } from './queue-intake.js';
import type { ReceiverRoom } from './receiver-room.js';

const LONG_POLL_SECONDS = 20;
// An additional receiver is there because the queue was full; it need not wait for what may come.
const SHORT_POLL_SECONDS = 1;
/*
 * A message is stored within milliseconds, and acknowledged at once. This long it may take when the database is slow,
 * and so long it is before the messages of a killed node come to another one.
 */
const VISIBILITY_SECONDS = 60;
// One that fails so often for a reason that nobody foresaw is set aside instead of being handed round for ever.
const MAX_RECEIVES = 5;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

export interface QueuePollerParts {
  readonly url: string;
  readonly name: string;
  readonly queues: MessageQueues;
  readonly intake: QueueIntake;
  readonly room: ReceiverRoom;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (result: QueueResult, messages: number) => void;
}

/** What became of a message: `late` and `not_deleted` are told beside `stored`, and come again. */
export type QueueResult = 'stored' | 'set_aside' | 'put_back' | 'late' | 'not_deleted';

/** How the queue answers, since when, and what it said. */
export interface QueueState {
  readonly trouble: QueueTrouble | undefined;
  readonly since: number;
  readonly said: string;
  readonly remedy: string | undefined;
}

/** What a message led to; with `seconds` it is put back for so long. */
type Outcome =
  | { readonly kind: 'done'; readonly isSetAside: boolean }
  | { readonly kind: 'later'; readonly seconds: number; readonly isOurs: boolean };

/**
 * Empties one queue: one long poll while it is quiet, several receivers at once while it is full. A message is
 * acknowledged only when everything in it is durable; received again it changes nothing.
 */
export class QueuePoller {
  private readonly stopping = new AbortController();
  private readonly receivers = new Set<Promise<void>>();
  private pauseMs = 0;
  private current: QueueState;

  constructor(private readonly parts: QueuePollerParts) {
    this.current = { trouble: undefined, since: parts.clock.now(), said: '', remedy: undefined };
  }

  get state(): QueueState {
    return this.current;
  }

  get receiving(): number {
    return this.receivers.size;
  }

  start(): void {
    if (this.receivers.size === 0) this.add(this.run());
  }

  /** Receives no more, and waits until what was received is stored and acknowledged. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.receivers);
  }

  private add(receiver: Promise<void>): void {
    this.receivers.add(receiver);
    void receiver.finally(() => this.receivers.delete(receiver));
  }

  /** The receiver that is always there. */
  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.pause();
      if (!this.stopping.signal.aborted && (await this.isReady())) await this.turn(LONG_POLL_SECONDS);
    }
  }

  /** Helps while the queue is full, and ends when it is not. */
  private async help(): Promise<void> {
    try {
      while (!this.stopping.signal.aborted && this.pauseMs === 0) {
        if ((await this.turn(SHORT_POLL_SECONDS)) === 0) return;
      }
    } finally {
      this.parts.room.leave();
    }
  }

  private async pause(): Promise<void> {
    if (this.pauseMs === 0) return;
    const { clock } = this.parts;
    await clock.sleepUntil(clock.now() + this.pauseMs, this.stopping.signal);
  }

  /** Whether what would be received now could be stored: every receive counts against the queue's redrive policy. */
  private async isReady(): Promise<boolean> {
    if (this.pauseMs === 0 || (await this.parts.intake.isReady())) return true;
    this.backOff();
    return false;
  }

  private backOff(): void {
    this.pauseMs = Math.min(MAX_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.pauseMs * 2));
  }

  /** Receives once, stores, acknowledges. Never rejects. @returns how many there were. */
  private async turn(waitSeconds: number): Promise<number> {
    const { queues, url, clock, log, name } = this.parts;
    const { signal } = this.stopping;
    try {
      const messages = await queues.receive(url, {
        waitSeconds,
        visibilitySeconds: VISIBILITY_SECONDS,
        signal,
      });
      const receivedAt = clock.now();
      this.settled();
      if (messages.length === MAX_BATCH && !signal.aborted && this.parts.room.enter()) this.add(this.help());
      if (messages.length > 0) await this.take(messages, receivedAt);
      else this.pauseMs = 0;
      return messages.length;
    } catch (error) {
      if (signal.aborted) return 0;
      this.backOff();
      if (error instanceof QueueError) this.troubled(error);
      else log.error({ err: error, queue: name }, 'a queue could not be read');
      return 0;
    }
  }

  private async take(messages: readonly QueueMessage[], receivedAt: number): Promise<void> {
    const { queues, url, clock, count, log, name } = this.parts;
    const outcomes = await Promise.all(messages.map((message) => this.takeOne(message)));
    const done: QueueMessage[] = [];
    const later: { readonly message: QueueMessage; readonly seconds: number }[] = [];
    for (const [index, message] of messages.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === 'done') {
        done.push(message);
        count(outcome.isSetAside ? 'set_aside' : 'stored', 1);
      } else if (outcome !== undefined) later.push({ message, seconds: outcome.seconds });
    }
    if (outcomes.some((outcome) => outcome.kind === 'later' && outcome.isOurs)) this.backOff();
    else this.pauseMs = 0;
    const seconds = (clock.now() - receivedAt) / 1000;
    if (seconds > VISIBILITY_SECONDS) {
      count('late', messages.length);
      log.warn(
        { queue: name, messages: messages.length, seconds: Math.round(seconds) },
        'messages were stored so slowly that the queue hands them out again; nothing is stored twice',
      );
    }
    if (done.length > 0) {
      const lost = await queues.remove(url, done);
      if (lost.length > 0) {
        count('not_deleted', lost.length);
        log.warn(
          { queue: name, messages: lost.length },
          'stored messages could not be deleted and come again',
        );
      }
    }
    if (later.length > 0) {
      count('put_back', later.length);
      // Where it fails they come back after the time that was said when they were received.
      await queues.hide(url, later);
    }
  }

  /** Never rejects. */
  private async takeOne(message: QueueMessage): Promise<Outcome> {
    const { intake, log, name } = this.parts;
    try {
      await intake.take(message.body);
      return { kind: 'done', isSetAside: false };
    } catch (error) {
      const patience = intake.patienceFor(error);
      if (patience !== undefined) return { kind: 'later', seconds: patience, isOurs: true };
      log.warn(
        { err: error, queue: name, receiveCount: message.receiveCount },
        'a message could not be stored',
      );
      if (message.receiveCount < MAX_RECEIVES) {
        return { kind: 'later', seconds: 2 ** message.receiveCount, isOurs: false };
      }
      return this.setAside(message, error);
    }
  }

  private async setAside(message: QueueMessage, error: unknown): Promise<Outcome> {
    try {
      const said = error instanceof Error ? error.message : String(error);
      await this.parts.intake.setAside(message.body, `failed ${message.receiveCount} times: ${said}`);
      return { kind: 'done', isSetAside: true };
    } catch (again) {
      this.parts.log.warn({ err: again, queue: this.parts.name }, 'a message could not be set aside');
      return { kind: 'later', seconds: VISIBILITY_SECONDS, isOurs: true };
    }
  }

  private settled(): void {
    if (this.current.trouble === undefined) return;
    this.parts.log.info({ queue: this.parts.name, was: this.current.trouble }, 'the queue answers again');
    this.current = { trouble: undefined, since: this.parts.clock.now(), said: '', remedy: undefined };
  }

  /** Said once when it begins; each later failure of the kind only lasts on. */
  private troubled({ trouble, said, remedy }: QueueError): void {
    const { clock, log, name } = this.parts;
    const isNews = this.current.trouble !== trouble;
    this.current = { trouble, said, remedy, since: isNews ? clock.now() : this.current.since };
    if (isNews)
      log.warn({ queue: name, trouble, said, remedy }, 'the queue does not answer; it is tried again');
  }
}
