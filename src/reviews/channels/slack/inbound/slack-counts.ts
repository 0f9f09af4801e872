import { Inject, Injectable } from '@nestjs/common';
import { Counter, Histogram, type Registry } from 'prom-client';
import { METRICS } from '../../../../ops/metrics.js';
import type { InboundKind } from './slack-inbound.js';

/** How something reached us. */
export type Transport = 'socket' | 'http';

/** What came in from Slack, for /metrics. */
@Injectable()
export class SlackCounts {
  private readonly refusals: Counter;
  private readonly acks: Histogram;

  constructor(@Inject(METRICS) metrics: Registry) {
    this.refusals = new Counter({
      name: 'sallyport_slack_refused_total',
      help: 'What came in as from Slack and was not taken, by what was wrong',
      labelNames: ['transport', 'reason'],
      registers: [metrics],
    });
    this.acks = new Histogram({
      name: 'sallyport_slack_ack_seconds',
      help: 'From what Slack sent to its acknowledgement; Slack waits three seconds',
      labelNames: ['transport', 'kind'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3],
      registers: [metrics],
    });
  }

  refused(transport: Transport, reason: string): void {
    this.refusals.inc({ transport, reason });
  }

  acknowledged(transport: Transport, kind: InboundKind, milliseconds: number): void {
    this.acks.observe({ transport, kind }, milliseconds / 1000);
  }
}
