import type { Readable } from 'node:stream';
import { eventually } from './eventually.js';

/** One server-sent event as it came. */
export interface ReceivedEvent {
  readonly event: string;
  readonly id: string | undefined;
  // What a server says is looked at by matchers.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any;
}

/** Reads a stream of server-sent events to its end, and keeps what came. */
export class EventReader {
  readonly events: ReceivedEvent[] = [];
  hasEnded = false;
  private rest = '';

  /** @param source a stream, or the body of a fetched answer. */
  constructor(source: Readable | AsyncIterable<Uint8Array>) {
    void this.read(source);
  }

  of(event: string): readonly ReceivedEvent[] {
    return this.events.filter((one) => one.event === event);
  }

  /** Waits for the first event (after the ones that `seen` counts) that passes. */
  first(passes: (event: ReceivedEvent) => boolean, what: string, seen = 0): Promise<ReceivedEvent> {
    return eventually(() => this.events.slice(seen).find(passes), { what });
  }

  private async read(source: AsyncIterable<Uint8Array | string>): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of source)
        this.take(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }));
    } catch {
      // Cut off: what came is here, and `hasEnded` says the rest.
    }
    this.hasEnded = true;
  }

  private take(text: string): void {
    const blocks = (this.rest + text).split('\n\n');
    this.rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string): string | undefined =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field('data');
      if (data !== undefined)
        this.events.push({ event: field('event') ?? 'message', id: field('id'), data: JSON.parse(data) });
    }
  }
}
