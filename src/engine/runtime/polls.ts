import type { Clock, Instant } from '../../clock.js';
import { InvalidInput, Overloaded } from '../../errors.js';
import type { ClaimedTask, ExecutionStore, PollRecord } from '../execution-store.js';
import type { Claims } from './claims.js';
import { RECHECK_MS } from './lookout.js';
import { checkText } from './payload-check.js';
import type { RuntimeLog } from './runtime-log.js';
import type { Signal } from './signal.js';

export const MAX_POLL_TIMEOUT_MS = 5_000;
const MAX_POLL_COUNT = 1_000;
// The bounds of polls that wait: each is some kilobytes and a socket.
const MAX_WAITING_POLLS = 2_000;
const MAX_WAITING_PER_CLIENT = 500;
const MAX_POLL_RECORDS = 10_000;
const LOCAL_POLL_MS = 10_000;

export interface Poll {
  readonly taskType: string;
  readonly workerId: string;
  /** Whose waiting polls are counted together; the worker's own when absent. */
  readonly client?: string | undefined;
  readonly domain?: string | undefined;
  readonly count: number;
  readonly timeoutMs: number;
  /** Aborts when the client has gone: nothing is claimed for it any more. */
  readonly signal?: AbortSignal | undefined;
}

interface Parts {
  readonly claims: Claims;
  readonly clock: Clock;
  readonly signal: Signal;
  readonly store: ExecutionStore;
  readonly log: RuntimeLog;
  readonly limits?: Partial<PollLimits> | undefined;
}

/** How many polls may wait at the same time. */
export interface PollLimits {
  readonly waiting: number;
  readonly waitingPerClient: number;
}

/** Workers outside this process, who ask for tasks and wait a little when there are none. */
export class Polls {
  private waiting = 0;
  private readonly waitingOf = new Map<string, number>();
  private readonly limits: PollLimits;
  private readonly records = new Map<string, PollRecord>();
  private isStopped = false;
  private rememberedLocalAt = -Infinity;

  constructor(private readonly parts: Parts) {
    this.limits = {
      waiting: MAX_WAITING_POLLS,
      waitingPerClient: MAX_WAITING_PER_CLIENT,
      ...parts.limits,
    };
  }

  /**
   * Up to `count` tasks, now or as soon as there are some within the time.
   *
   * @throws InvalidInput; Overloaded 429 when this client has too many polls that wait, 503 when all have.
   */
  async poll(poll: Poll): Promise<readonly ClaimedTask[]> {
    check(poll);
    this.remember(poll);
    const { clock, claims } = this.parts;
    const deadline = clock.now() + poll.timeoutMs;
    if (poll.domain !== undefined && poll.domain !== '') return await this.nothing(poll, deadline);
    const takers = Array.from({ length: poll.count }, () => ({ workerId: poll.workerId, owner: undefined }));
    for (;;) {
      if (this.isStopped || poll.signal?.aborted === true) return [];
      if (poll.timeoutMs === 0) return await claims.take(poll.taskType, takers);
      const nap = new AbortController();
      // Listening from before the claim: what is queued right after it is not missed.
      const deaf = this.parts.signal.once(poll.taskType, () => nap.abort());
      const claimed = await claims.take(poll.taskType, takers).catch((error: unknown) => {
        deaf();
        throw error;
      });
      const now = clock.now();
      if (claimed.length > 0 || now >= deadline) {
        deaf();
        return claimed;
      }
      try {
        await this.wait(poll, Math.min(deadline, now + RECHECK_MS), nap);
      } finally {
        deaf();
      }
    }
  }

  /** No task is sent to a domain, so a worker of one gets none: those that wait are for workers without. */
  private async nothing(poll: Poll, deadline: Instant): Promise<readonly ClaimedTask[]> {
    if (poll.timeoutMs > 0 && !this.isStopped && poll.signal?.aborted !== true) {
      await this.wait(poll, deadline, new AbortController());
    }
    return [];
  }

  private async wait(poll: Poll, until: Instant, nap: AbortController): Promise<void> {
    const client = poll.client ?? poll.workerId;
    const count = this.waitingOf.get(client) ?? 0;
    if (count >= this.limits.waitingPerClient) {
      throw new Overloaded(
        `${count} polls of this client wait already; ask for more tasks per poll (count) instead.`,
        1,
        429,
      );
    }
    if (this.waiting >= this.limits.waiting) {
      throw new Overloaded('Too many polls wait at this node; try another one or a little later.', 1, 503);
    }
    const leave = (): void => nap.abort();
    poll.signal?.addEventListener('abort', leave, { once: true });
    this.waitingOf.set(client, count + 1);
    this.waiting += 1;
    await this.parts.clock.sleepUntil(until, nap.signal);
    this.waiting -= 1;
    const left = (this.waitingOf.get(client) ?? 1) - 1;
    if (left > 0) this.waitingOf.set(client, left);
    else this.waitingOf.delete(client);
    poll.signal?.removeEventListener('abort', leave);
  }

  /** Polls that wait now. */
  get waitingCount(): number {
    return this.waiting;
  }

  /** Waiting polls are answered with nothing. */
  stop(): void {
    this.isStopped = true;
    for (const taskType of this.parts.signal.keys) this.parts.signal.raise(taskType);
  }

  /** The workers of this process poll in their own way; every few seconds is often enough to show that they live. */
  rememberLocal(taskTypes: readonly string[], host: string): void {
    const now = this.parts.clock.now();
    if (now - this.rememberedLocalAt < LOCAL_POLL_MS) return;
    this.rememberedLocalAt = now;
    for (const taskType of taskTypes) {
      this.remember({ taskType, workerId: `in-process@${host}`, count: 1, timeoutMs: 0 });
    }
  }

  private remember({ taskType, workerId, domain = '' }: Poll): void {
    // A line break is in no name that a worker chose by accident; a clash would only merge two lines of a statistic.
    const key = `${taskType}\n${domain}\n${workerId}`;
    if (this.records.size >= MAX_POLL_RECORDS && !this.records.has(key)) return;
    this.records.set(key, { queueName: taskType, workerId, domain, lastPollTime: this.parts.clock.now() });
  }

  /** Stores who polled since the last call. */
  async flush(): Promise<void> {
    if (this.records.size === 0) return;
    const records = [...this.records.values()];
    this.records.clear();
    try {
      await this.parts.store.recordPolls(records);
    } catch (error) {
      // Only a statistic; the next poll writes it again.
      this.parts.log.warn({ err: error }, 'poll data could not be stored');
    }
  }
}

function check({ taskType, workerId, domain, count, timeoutMs }: Poll): void {
  checkText(taskType, 'taskType', 255);
  checkText(workerId, 'workerid', 255);
  checkText(domain, 'domain', 255);
  if (!Number.isInteger(count) || count < 1 || count > MAX_POLL_COUNT) {
    throw InvalidInput.field('count', `must be a whole number from 1 to ${MAX_POLL_COUNT}`);
  }
  if (!Number.isFinite(timeoutMs) || timeoutMs < 0 || timeoutMs > MAX_POLL_TIMEOUT_MS) {
    throw InvalidInput.field('timeout', `must be from 0 to ${MAX_POLL_TIMEOUT_MS} milliseconds`);
  }
}
