import type { Clock } from '../../clock.js';
import { Forbidden, Overloaded, Unauthorized } from '../../errors.js';
import type { EventStream } from './event-stream.js';

export interface StreamLimits {
  readonly perProcess: number;
  readonly perPrincipal: number;
}

/** Somebody who listens. */
export interface Attendee {
  readonly principalId: string;
  readonly subscriber: EventStream;
  /** Rejects with Unauthorized or Forbidden when the session ended, the key was revoked or the role taken away. */
  readonly reassure: () => Promise<void>;
}

// Some 30 kB each at most; more listeners belong on more processes.
export const STREAM_LIMITS: StreamLimits = { perProcess: 500, perPrincipal: 25 };
const BEAT_MS = 15_000;
const RETRY_AFTER_SECONDS = 5;
// Each is a query of the pool that all requests share.
const REASSURED_AT_ONCE = 4;

/** Who listens to this process: lets in, says every 15 s that the stream lives and who may stay, ends all at the stop. */
export class Attendance {
  private readonly attendees = new Set<Attendee>();
  private readonly stopping = new AbortController();
  private isBeating = false;
  private isReassuring = false;

  constructor(
    private readonly clock: Clock,
    private readonly behindSince: () => number | undefined,
    private readonly limits: StreamLimits = STREAM_LIMITS,
  ) {}

  get count(): number {
    return this.attendees.size;
  }

  /** @throws Overloaded when this process (503) or this principal (429) has as many streams as it may. */
  checkRoom(principalId: string): void {
    if (this.stopping.signal.aborted || this.attendees.size >= this.limits.perProcess) {
      const why = this.stopping.signal.aborted ? 'is stopping' : `serves ${this.limits.perProcess} streams`;
      throw new Overloaded(`This process ${why}. Try again soon, or another one.`, RETRY_AFTER_SECONDS, 503);
    }
    let own = 0;
    for (const attendee of this.attendees) if (attendee.principalId === principalId) own += 1;
    if (own >= this.limits.perPrincipal) {
      throw new Overloaded(
        `You have ${own} streams open, the most that one user or key may have. Close one of them.`,
        RETRY_AFTER_SECONDS,
      );
    }
  }

  /** @throws Overloaded as `checkRoom`. */
  admit(attendee: Attendee): void {
    this.checkRoom(attendee.principalId);
    this.attendees.add(attendee);
    attendee.subscriber.once('close', () => this.attendees.delete(attendee));
    if (!this.isBeating) void this.run();
  }

  /** Ends every stream with the hint to come back. */
  stop(): void {
    this.stopping.abort();
    for (const { subscriber } of this.attendees) subscriber.finish('shutdown');
  }

  private async run(): Promise<void> {
    this.isBeating = true;
    while (this.attendees.size > 0 && !this.stopping.signal.aborted) {
      await this.clock.sleepUntil(this.clock.now() + BEAT_MS, this.stopping.signal);
      if (this.stopping.signal.aborted) break;
      const behind = this.behindSince();
      for (const { subscriber } of this.attendees) subscriber.heartbeat(this.clock.now(), behind);
      // Not waited for: while the database is silent, the beat is what says so.
      if (!this.isReassuring) void this.reassureAll();
    }
    this.isBeating = false;
  }

  private async reassureAll(): Promise<void> {
    this.isReassuring = true;
    const left = [...this.attendees].values();
    const some = async (): Promise<void> => {
      for (const attendee of left) if (this.attendees.has(attendee)) await reassured(attendee);
    };
    await Promise.all(Array.from({ length: REASSURED_AT_ONCE }, some));
    this.isReassuring = false;
  }
}

async function reassured({ subscriber, reassure }: Attendee): Promise<void> {
  try {
    await reassure();
  } catch (error) {
    // Anything else says nothing about the right: the database may be away.
    if (error instanceof Unauthorized || error instanceof Forbidden) subscriber.finish('session');
  }
}
