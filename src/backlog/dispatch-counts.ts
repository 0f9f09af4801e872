import { Inject, Injectable } from '@nestjs/common';
import { Counter, type Registry } from 'prom-client';
import { METRICS } from '../ops/metrics.js';
import { SOURCE_CLASSES, type SourceClass } from './source-class.js';

/** What the dispatcher of this process did. */
@Injectable()
export class DispatchCounts {
  private readonly starts: Counter;
  private readonly failures: Counter;

  constructor(@Inject(METRICS) registry: Registry) {
    this.starts = new Counter({
      name: 'sallyport_backlog_starts_total',
      help: 'Scans started by this process, by where they came from',
      labelNames: ['source'],
      registers: [registry],
    });
    this.failures = new Counter({
      name: 'sallyport_backlog_start_failures_total',
      help: 'Starts that failed: tried again (retry), or given up (dead)',
      labelNames: ['outcome'],
      registers: [registry],
    });
    // A series that is not there yet cannot rise.
    for (const source of SOURCE_CLASSES) this.starts.inc({ source }, 0);
    for (const outcome of ['retry', 'dead']) this.failures.inc({ outcome }, 0);
  }

  started(source: SourceClass): void {
    this.starts.inc({ source });
  }

  failed(outcome: 'retry' | 'dead'): void {
    this.failures.inc({ outcome });
  }
}
