import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Forbidden } from '../../errors.js';

/** Why the server ends a stream; with `gone` there is nothing to come back for. */
export type EndReason = 'shutdown' | 'session' | 'gone';

export const EVENT_STREAM = 'text/event-stream; charset=utf-8';
const RECONNECT_MS = 2_000;
const BUFFER_BYTES = 64 * 1024;

/**
 * One client's stream of server-sent events. Pulls: an event is made when the connection takes it, so that whoever keeps
 * what is to be said can merge it meanwhile.
 */
export abstract class EventStream extends Readable {
  private takesMore = false;
  private greeting: string | undefined;
  private resetAt: string | undefined;
  private beat: string | undefined;
  private ending: EndReason | undefined;
  private isSaid = false;

  /** @param hello is told first. */
  protected constructor(hello: object) {
    super({ highWaterMark: BUFFER_BYTES });
    this.greeting = `retry: ${RECONNECT_MS}\nevent: hello\ndata: ${JSON.stringify(hello)}\n\n`;
  }

  /** The next event of what is kept; `undefined` when there is none. */
  protected abstract nextEvent(): string | undefined;

  /** Nothing is to be kept for it any more. */
  protected get isOver(): boolean {
    return this.ending !== undefined || this.destroyed;
  }

  /** Says that the stream lives; `behindSince` when the server itself does not know the newest state. */
  heartbeat(at: number, behindSince: number | undefined): void {
    this.beat = sse('beat', { at, behindSince });
    this.flow();
  }

  /** The last event; the stream ends after what is pending. */
  finish(reason: EndReason): void {
    if (this.ending !== undefined) return;
    this.ending = reason;
    this.flow();
  }

  override _read(): void {
    this.takesMore = true;
    this.flow();
  }

  /** Something was missed until `id`: the client must fetch what it shows. */
  protected tellReset(id: string): void {
    this.resetAt = id;
    this.flow();
  }

  /** Says what there is to say, as far as the connection takes it. */
  protected flow(): void {
    while (this.takesMore && !this.destroyed) {
      const text = this.next();
      if (text === undefined) return;
      if (text === null) {
        this.takesMore = false;
        this.push(null);
        return;
      }
      this.takesMore = this.push(text);
    }
  }

  /** The next event; `null` after the last, `undefined` when there is nothing to say. */
  private next(): string | null | undefined {
    const { greeting, resetAt, beat } = this;
    if (greeting !== undefined) {
      this.greeting = undefined;
      return greeting;
    }
    if (resetAt !== undefined) {
      this.resetAt = undefined;
      return sse('reset', {}, resetAt);
    }
    const event = this.nextEvent();
    if (event !== undefined) return event;
    if (beat !== undefined) {
      this.beat = undefined;
      return beat;
    }
    if (this.ending === undefined) return undefined;
    if (this.isSaid) return null;
    this.isSaid = true;
    return `retry: ${RECONNECT_MS}\n${sse('end', { reason: this.ending })}`;
  }
}

/** JSON has no line breaks, so one `data` line holds it. */
export function sse(event: string, data: object, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Answers with the stream, until one side ends it. */
export const sendEvents = (reply: FastifyReply, stream: EventStream): FastifyReply =>
  reply
    .type(EVENT_STREAM)
    .header('cache-control', 'no-store')
    // Proxies in front hold answers back otherwise (nginx).
    .header('x-accel-buffering', 'no')
    .send(stream);

/** A page elsewhere cannot read the stream, but could use up the places. @throws Forbidden */
export function refuseOtherSites({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new Forbidden('Requests from other sites may not listen here.');
  }
}
