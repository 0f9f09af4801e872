import { EventStream, sse } from '../../engine/stream/event-stream.js';
import type { EventPlace, OrderedEvent } from '../sql/event-order.js';

// What a slow client may be behind; over it a `reset` says what a thousand events would.
const MAX_PENDING = 200;

export const eventId = ({ xid, id }: EventPlace): string => `${xid}-${id}`;

/** The place that an id of an event names; `undefined` for what is none. */
export function placeOf(lastEventId: string): EventPlace | undefined {
  const [, xid, id] = /^(\d{1,19})-(\d{1,18})$/.exec(lastEventId) ?? [];
  return xid === undefined || id === undefined ? undefined : { xid, id };
}

/**
 * One client's stream of what happens to reviews. A slow client gets fewer and newer events: of each review the last.
 * Whoever may see certain queues alone hears of those.
 */
export class ReviewSubscriber extends EventStream {
  private readonly pending = new Map<string, OrderedEvent>();

  /** @param queues the only ones of which it may hear; all when undefined. */
  constructor(private queues: readonly string[] | undefined) {
    super({});
  }

  /** From now on it may hear of these. */
  restrict(queues: readonly string[] | undefined): void {
    this.queues = queues;
    for (const [id, { queue }] of this.pending) if (!this.sees(queue)) this.pending.delete(id);
  }

  offer(event: OrderedEvent): void {
    if (this.isOver || !this.sees(event.queue)) return;
    // To the end: events leave in the order of their ids.
    this.pending.delete(event.reviewId);
    this.pending.set(event.reviewId, event);
    if (this.pending.size > MAX_PENDING) this.reset(event);
    else this.flow();
  }

  /** What came until this place cannot be told one by one: the client must load again. */
  reset(at: EventPlace): void {
    this.pending.clear();
    this.tellReset(eventId(at));
  }

  protected nextEvent(): string | undefined {
    const [first] = this.pending.values();
    if (first === undefined) return undefined;
    this.pending.delete(first.reviewId);
    const { xid, id, at, ...told } = first;
    return sse('change', { ...told, at: new Date(at).toISOString() }, eventId({ xid, id }));
  }

  private sees(queue: string): boolean {
    return this.queues === undefined || this.queues.includes(queue);
  }
}
