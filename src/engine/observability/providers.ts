import type { Provider } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { CONFIG, type Config } from '../../config.js';
import { HealthRegistry } from '../../ops/health.js';
import { LOG, type Log } from '../../ops/log.js';
import { METRICS } from '../../ops/metrics.js';
import { CommitMetrics } from './commit-metrics.js';
import { EngineGauges } from './engine-gauges.js';
import { openTracing, TRACING } from './tracing.js';

/** How the engine says how it does: metrics, and spans when there is a collector. */
export const OBSERVABILITY: Provider[] = [
  {
    provide: CommitMetrics,
    inject: [METRICS],
    useFactory: (registry: Registry) => new CommitMetrics(registry),
  },
  {
    provide: TRACING,
    inject: [CONFIG, LOG, METRICS, HealthRegistry],
    useFactory: (config: Config, log: Log, metrics: Registry, health: HealthRegistry) =>
      openTracing({ config, log, metrics, health }),
  },
  EngineGauges,
];
