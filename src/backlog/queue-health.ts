import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { HealthCheck, HealthRegistry, type HealthResult } from '../ops/health.js';
import { QueueReadings } from './queue-readings.js';
import { pauses } from './sql/pauses.js';

/** Says when somebody stopped a queue and when scans could not be started: both wait for a person. */
@Injectable()
export class QueueHealth extends HealthCheck implements OnApplicationBootstrap {
  readonly name = 'backlog';

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly readings: QueueReadings,
    private readonly registry: HealthRegistry,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.registry.add(this);
  }

  async check(): Promise<readonly HealthResult[]> {
    const [{ waiting, running, dead }, [first, ...others]] = await Promise.all([
      this.readings.current(),
      pauses(this.database),
    ]);
    const sum = (rows: readonly { readonly count: number }[]) =>
      rows.reduce((all, row) => all + row.count, 0);
    const letters = sum(dead);
    const detail = [`${sum(waiting)} wait, ${sum(running)} run`];
    const remedy: string[] = [];
    if (first !== undefined) {
      const minutes = Math.floor(Math.max(0, this.clock.now() - first.paused_at) / 60_000);
      // Public: no names of buckets and people.
      detail.push(
        others.length === 0
          ? `a queue is paused, for ${minutes} min`
          : `${others.length + 1} queues are paused, the first for ${minutes} min`,
      );
      remedy.push(
        'See what is paused with: sallyport queue list; go on with: sallyport queue resume, and --all or the bucket or source.',
      );
    }
    if (letters > 0) {
      detail.push(`${letters} could not be started`);
      remedy.push(
        'See why with: sallyport queue dead-letters; start them again with: sallyport queue redrive.',
      );
    }
    const degraded = remedy.length > 0;
    return [
      {
        name: this.name,
        healthy: true,
        detail: detail.join('; '),
        ...(degraded && { degraded, remedy: remedy.join(' ') }),
        state: first !== undefined ? 'paused' : letters > 0 ? 'dead_letters' : 'ok',
      },
    ];
  }
}
