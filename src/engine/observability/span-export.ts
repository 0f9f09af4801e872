import { SpanKind, SpanStatusCode, TraceFlags, type HrTime, type SpanContext } from '@opentelemetry/api';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { HealthCheck, type HealthResult } from '../../ops/health.js';
import type { RuntimeLog } from '../runtime/runtime-log.js';
import type { FinishedSpan, SpanSink } from './commit-spans.js';

interface Parts {
  readonly exporter: SpanExporter;
  readonly resource: Resource;
  readonly log: RuntimeLog;
  /** Spans that wait or are on their way; more are dropped. */
  readonly maxPending: number;
}

const MAX_BATCH = 2_000;
const SHUTDOWN_MS = 2_000;
const SCOPE = { name: 'sallyport' };

/**
 * Sends finished spans to a collector in the background. A collector that is slow or away costs spans, which are counted,
 * and nothing else.
 */
export class SpanExport extends HealthCheck implements SpanSink {
  readonly name = 'tracing';
  /** Spans by what became of them. */
  readonly counts = { exported: 0, failed: 0, dropped: 0 };
  private readonly processor: BatchSpanProcessor;
  private pending = 0;
  private problem: string | undefined;
  private isDropping = false;

  constructor(private readonly parts: Parts) {
    super();
    // The bound is kept here, where what is dropped can be counted.
    this.processor = new BatchSpanProcessor(this.counting(parts.exporter), {
      maxQueueSize: parts.maxPending,
      maxExportBatchSize: Math.min(MAX_BATCH, parts.maxPending),
    });
  }

  add(span: FinishedSpan): void {
    if (this.pending >= this.parts.maxPending) {
      this.counts.dropped += 1;
      this.isDropping = true;
      return;
    }
    this.pending += 1;
    this.processor.onEnd(readable(span, this.parts.resource));
  }

  /** Sends what waits, for two seconds at most. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SHUTDOWN_MS);
    });
    const sent = this.processor.shutdown().catch((error: unknown) => this.failed(0, error));
    await Promise.race([sent, late]);
    clearTimeout(timer);
  }

  check(): readonly HealthResult[] {
    const { exported, failed, dropped } = this.counts;
    const isDegraded = this.problem !== undefined || this.isDropping;
    const why = this.problem ?? 'it takes spans more slowly than they arise';
    return [
      {
        name: this.name,
        healthy: true,
        degraded: isDegraded,
        detail:
          `${exported} span(s) sent, ${failed} refused, ${dropped} dropped` +
          (isDegraded ? `; the collector: ${why}` : ''),
        remedy: isDegraded
          ? 'Check the collector and OTEL_EXPORTER_OTLP_ENDPOINT; workflows run without it.'
          : undefined,
      },
    ];
  }

  private counting(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          this.settled(spans.length, result);
          done(result);
        }),
      shutdown: () => exporter.shutdown(),
      forceFlush: async () => exporter.forceFlush?.(),
    };
  }

  private settled(count: number, { code, error }: ExportResult): void {
    this.pending -= count;
    if (code !== ExportResultCode.SUCCESS) {
      this.failed(count, error);
      return;
    }
    this.counts.exported += count;
    if (this.problem !== undefined) this.parts.log.info({}, 'the trace collector takes spans again');
    this.problem = undefined;
    this.isDropping = false;
  }

  private failed(count: number, error: unknown): void {
    this.counts.failed += count;
    const message = (error instanceof Error ? error.message : String(error)).slice(0, 200);
    if (this.problem === undefined) {
      this.parts.log.warn({ err: error, count }, 'the trace collector did not take spans; they are lost');
    }
    this.problem = message === '' ? 'no answer' : message;
  }
}

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];

function readable(span: FinishedSpan, resource: Resource): ReadableSpan {
  const contextOf = (spanId: string): SpanContext => ({
    traceId: span.traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
  });
  const context = contextOf(span.spanId);
  return {
    name: span.name,
    kind: SpanKind.INTERNAL,
    spanContext: () => context,
    ...(span.parentSpanId === undefined ? {} : { parentSpanContext: contextOf(span.parentSpanId) }),
    startTime: hrTime(span.startAt),
    endTime: hrTime(span.endAt),
    duration: hrTime(Math.max(0, span.endAt - span.startAt)),
    status: { code: span.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: [],
    events: span.events.map(({ name, at }) => ({ name, time: hrTime(at) })),
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
