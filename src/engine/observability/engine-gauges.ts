import { Inject, Injectable } from '@nestjs/common';
import { Gauge, type Registry } from 'prom-client';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { LOG, type Log } from '../../ops/log.js';
import { METRICS } from '../../ops/metrics.js';
import type { StoreReadings } from '../execution-store.js';
import { EngineRuntime } from '../runtime/engine-runtime.js';
import { BoundedLabels, OTHER } from './bounded-labels.js';
import { CachedReadings } from './cached-readings.js';
import { addProcessGauges } from './process-gauges.js';

const MAX_TASK_TYPES = 100;

/** What is read off this process and its store at the moment of a scrape. */
@Injectable()
export class EngineGauges {
  constructor(
    @Inject(METRICS) registry: Registry,
    runtime: EngineRuntime,
    database: Database,
    clock: Clock,
    @Inject(LOG) log: Log,
  ) {
    addProcessGauges(registry, runtime, database);
    const labels = new BoundedLabels(MAX_TASK_TYPES);
    const readings = new CachedReadings(runtime.store, log, () => {
      // The types of this process come first, so that no flood of others takes their labels.
      for (const taskType of runtime.slots.taskTypes) labels.of(taskType);
      return labels.names;
    });
    addStoreGauges(registry, readings, labels, clock);
  }
}

function addStoreGauges(
  registry: Registry,
  readings: CachedReadings,
  labels: BoundedLabels,
  clock: Clock,
): void {
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    fill: (gauge: Gauge, read: StoreReadings) => void,
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const read = await readings.current();
        this.reset();
        if (read !== undefined) fill(this, read);
      },
    });
  const age = (at: number | undefined): number =>
    at === undefined ? 0 : Math.max(0, clock.now() - at) / 1000;
  gauge(
    'sallyport_workflows',
    'Workflows that have not ended; beyond 10,000 an estimate',
    ['state'],
    (it, { running, paused }) => {
      it.set({ state: 'running' }, running.count);
      it.set({ state: 'paused' }, paused.count);
    },
  );
  gauge(
    'sallyport_task_queue_depth',
    'Tasks that are due and wait for a worker, at most 10,000 per type',
    ['task_type'],
    (it, { queues }) => {
      for (const { taskType, waiting } of queues) it.inc({ task_type: labels.of(taskType) }, waiting);
    },
  );
  gauge(
    'sallyport_task_queue_oldest_age_seconds',
    'For how long the one that waits longest has been due',
    ['task_type'],
    (it, { queues }) => {
      const others: number[] = [];
      for (const { taskType, oldestDueAt } of queues) {
        const label = labels.of(taskType);
        if (label === OTHER) others.push(age(oldestDueAt));
        else it.set({ task_type: label }, age(oldestDueAt));
      }
      if (others.length > 0) it.set({ task_type: OTHER }, Math.max(...others));
    },
  );
  gauge('sallyport_inbox_depth', 'Effects on other workflows that wait', [], (it, { inbox }) => {
    it.set(inbox.waiting);
  });
  gauge(
    'sallyport_inbox_oldest_age_seconds',
    'For how long the first of them has been due',
    [],
    (it, { inbox }) => it.set(age(inbox.oldestAt)),
  );
  gauge(
    'sallyport_timer_overdue_seconds',
    'For how long the first timer that nobody has taken has been due',
    [],
    (it, { nextTimerAt }) => it.set(age(nextTimerAt)),
  );
  gauge('sallyport_store_readings_age_seconds', 'How old the figures of the store are', [], (it) =>
    it.set(readings.ageSeconds),
  );
}
