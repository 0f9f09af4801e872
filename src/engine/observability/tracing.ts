import type { Registry } from 'prom-client';
import { Counter } from 'prom-client';
import type { Config } from '../../config.js';
import type { HealthRegistry } from '../../ops/health.js';
import { VERSION } from '../../ops/version.js';
import type { CommitObserver } from '../runtime/commit-observer.js';
import type { RuntimeLog } from '../runtime/runtime-log.js';
import { PASS_ON, type Traces } from '../runtime/traces.js';
import { CommitSpans } from './commit-spans.js';
import { DerivedTraces } from './trace-context.js';

/** Injection token of {@link Tracing}. */
export const TRACING = Symbol('TRACING');

/** The tracing of this process; without a collector it only passes on what came in. */
export interface Tracing {
  readonly traces: Traces;
  /** Undefined without a collector. */
  readonly observer: CommitObserver | undefined;
  /** Sends what waits, within bounds. */
  close(): Promise<void>;
}

const NONE: Tracing = { traces: PASS_ON, observer: undefined, close: () => Promise.resolve() };

interface Parts {
  readonly config: Pick<
    Config,
    | 'OTEL_EXPORTER_OTLP_ENDPOINT'
    | 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
    | 'OTEL_SDK_DISABLED'
    | 'OTEL_TRACES_EXPORTER'
    | 'OTEL_TRACES_SAMPLER'
    | 'OTEL_TRACES_SAMPLER_ARG'
    | 'OTEL_BSP_MAX_QUEUE_SIZE'
  >;
  readonly log: RuntimeLog;
  readonly metrics: Registry;
  readonly health: HealthRegistry;
}

/** Where spans are sent; `undefined` when none are made. */
export function collectorUrl(config: Parts['config']): string | undefined {
  if (config.OTEL_SDK_DISABLED || config.OTEL_TRACES_EXPORTER === 'none') return undefined;
  if (config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== undefined)
    return config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  return endpoint === undefined ? undefined : `${endpoint.replace(/\/+$/, '')}/v1/traces`;
}

/** The share of the traces that begin here that is sampled. */
export function sampledShare({
  OTEL_TRACES_SAMPLER: sampler,
  OTEL_TRACES_SAMPLER_ARG: share,
}: Parts['config']): number {
  if (sampler.endsWith('always_off')) return 0;
  return sampler.endsWith('traceidratio') ? share : 1;
}

/** Loads OpenTelemetry only when there is a collector to send to. */
export async function openTracing({ config, log, metrics, health }: Parts): Promise<Tracing> {
  const url = collectorUrl(config);
  if (url === undefined) return NONE;
  const [{ OTLPTraceExporter }, { detectResources, envDetector, resourceFromAttributes }, { SpanExport }] =
    await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('./span-export.js'),
    ]);
  const resource = resourceFromAttributes({ 'service.name': 'sallyport', 'service.version': VERSION }).merge(
    detectResources({ detectors: [envDetector] }),
  );
  const spans = new SpanExport({
    exporter: new OTLPTraceExporter({ url }),
    resource,
    log,
    maxPending: config.OTEL_BSP_MAX_QUEUE_SIZE,
  });
  health.add(spans);
  void new Counter({
    name: 'sallyport_trace_spans_total',
    help: 'Spans by what became of them',
    labelNames: ['result'],
    registers: [metrics],
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(spans.counts)) this.inc({ result }, count);
    },
  });
  const traces = new DerivedTraces(sampledShare(config));
  return { traces, observer: new CommitSpans(traces, spans), close: () => spans.close() };
}
