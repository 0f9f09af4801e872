import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Counter, Gauge, type Registry } from 'prom-client';
import { Database } from '../database/database.js';
import type { DatabaseState } from '../database/database-state.js';
import { remedyOf, sentenceOf, TROUBLES } from '../database/trouble.js';
import { HealthCheck, HealthRegistry, type HealthResult } from './health.js';
import { METRICS } from './metrics.js';

// Who asks how it is must be told within two seconds.
const ANSWER_WITHIN_MS = 1_500;

/**
 * Says how PostgreSQL is: whether it answers, and whether it stores what it is told to; without it nothing is taken in,
 * scanned or decided.
 */
@Injectable()
export class DatabaseHealth extends HealthCheck implements OnApplicationBootstrap {
  readonly name = 'postgresql';

  constructor(
    private readonly db: Database,
    private readonly registry: HealthRegistry,
    @Inject(METRICS) private readonly metrics: Registry,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.registry.add(this);
    this.metrics.registerMetric(stateGauge(this.db.state));
    this.metrics.registerMetric(failureCounter(this.db.state));
  }

  async check(): Promise<readonly HealthResult[]> {
    const late = new AbortController();
    const problem = await Promise.race([
      this.probe(),
      sleep(ANSWER_WITHIN_MS, 'no connection was free in time', { signal: late.signal, ref: false }),
    ]);
    late.abort();
    // In every known trouble the state says what it is.
    if (problem === undefined || this.db.state.isTroubled) return [this.result()];
    return [{ name: this.name, healthy: false, state: 'slow', detail: problem, remedy: remedyOf('slow') }];
  }

  /** @returns what went wrong. */
  private async probe(): Promise<string | undefined> {
    const { state } = this.db;
    try {
      const [row] = await this.db.query<{ read_only: string }>(
        `SELECT current_setting('transaction_read_only') AS read_only`,
        [],
        ANSWER_WITHIN_MS,
      );
      if (row?.read_only === 'on') state.failed(readOnly());
      else if (state.condition.kind === 'read-only') state.succeeded('write');
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  private result(): HealthResult {
    const { kind, forMs, failures, said } = this.db.state.condition;
    if (kind === 'ok') {
      return { name: this.name, healthy: true, state: 'ok', detail: 'PostgreSQL answers' };
    }
    const seconds = Math.round(forMs / 1_000);
    return {
      name: this.name,
      healthy: false,
      state: kind,
      detail: `${sentenceOf(kind)} For ${seconds} s, ${failures} failed tries; the last: ${said ?? 'no answer'}`,
      remedy: remedyOf(kind),
    };
  }
}

const readOnly = (): Error => Object.assign(new Error('transaction_read_only is on'), { code: '25006' });

const stateGauge = (state: DatabaseState): Gauge =>
  new Gauge({
    name: 'sallyport_database_state',
    help: '1 for the state that PostgreSQL is in',
    labelNames: ['state'],
    registers: [],
    collect() {
      for (const kind of ['ok', ...TROUBLES])
        this.set({ state: kind }, Number(kind === state.condition.kind));
    },
  });

const failureCounter = (state: DatabaseState): Counter =>
  new Counter({
    name: 'sallyport_database_failures_total',
    help: 'Tries that PostgreSQL could not serve, by what was wrong',
    labelNames: ['state'],
    registers: [],
    collect() {
      this.reset();
      for (const [kind, count] of state.failureTotals) this.inc({ state: kind }, count);
    },
  });
