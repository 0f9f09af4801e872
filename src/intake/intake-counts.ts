import { Counter, type Registry } from 'prom-client';
import type { RejectedEvent } from './s3-event.js';

/** What became of one message's events. */
interface Told {
  readonly stored: number;
  readonly known: number;
  readonly ignored: number;
  readonly rejects: readonly RejectedEvent[];
}

/** What this process took in, for /metrics. Labels are from closed lists: no source can make one. */
export class IntakeCounts {
  private readonly events: Counter;
  private readonly rejects: Counter;

  /** Without a registry it counts for nobody. */
  constructor(registry?: Registry) {
    const registers = registry === undefined ? [] : [registry];
    this.events = new Counter({
      name: 'sallyport_intake_events_total',
      help: 'Events by how they came and what they were: stored, known already, ignored',
      labelNames: ['source', 'result'],
      registers,
    });
    this.rejects = new Counter({
      name: 'sallyport_intake_rejects_total',
      help: 'Messages, or parts of them, that could not be used, by how they came and why',
      labelNames: ['source', 'reason'],
      registers,
    });
  }

  count(source: string, { stored, known, ignored, rejects }: Told): void {
    for (const [result, count] of Object.entries({ stored, known, ignored })) {
      if (count > 0) this.events.inc({ source, result }, count);
    }
    for (const { reason } of rejects) this.rejects.inc({ source, reason });
  }
}
