import { randomUUID } from 'node:crypto';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { BacklogBell } from '../../backlog/backlog-bell.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import type { Registry } from 'prom-client';
import { HealthRegistry } from '../../ops/health.js';
import { LOG, type Log } from '../../ops/log.js';
import { METRICS } from '../../ops/metrics.js';
import { Alerts } from '../../outbound/alerts.js';
import { Recurring } from '../../recurring.js';
import { Buckets } from '../../s3/buckets.js';
import { ObjectStorage } from '../../s3/object-storage.js';
import { TriggerRules } from '../../triggers/trigger-rules.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { EventsHealth } from './listing-health.js';
import { registerListingMetrics } from './listing-metrics.js';
import { Lister } from './lister.js';
import { ListingBell } from './listing-bell.js';
import { pricesOf } from './runs.service.js';
import { watchBuckets } from './sql/bucket-watch.js';

const LOOK_EVERY_MS = 1_000;

/** Runs the lister where the role `intake` is, and notes since when each bucket is watched. */
@Injectable()
export class ListerService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly looks: Recurring;
  private readonly lister: Lister;
  /** Buckets that this process noted. */
  private readonly watched = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly buckets: Buckets,
    storage: ObjectStorage,
    rules: TriggerRules,
    bell: BacklogBell,
    listingBell: ListingBell,
    alerts: Alerts,
    health: HealthRegistry,
    @Inject(METRICS) metrics: Registry,
    @Inject(LOG) log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    const parts = { database, clock, buckets, storage, rules, bell, alerts, log };
    this.lister = new Lister({
      ...parts,
      owner: randomUUID(),
      highWater: config.LISTING_HIGH_WATER,
      prices: pricesOf(config),
    });
    this.looks = new Recurring({
      clock,
      log,
      everyMs: LOOK_EVERY_MS,
      onFailure: 'backfills and rescans could not be worked on',
      turn: (signal) => this.turn(signal),
    });
    listingBell.onRing(() => this.looks.wake());
    health.add(new EventsHealth(database));
    registerListingMetrics(metrics, database);
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('intake')) this.looks.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.looks.stop();
  }

  private async turn(signal: AbortSignal): Promise<void> {
    await this.watch();
    while (await this.lister.turn(signal)) if (signal.aborted) return;
  }

  private async watch(): Promise<void> {
    const nameOf = (bucket: { endpointId: string; bucket: string }) =>
      JSON.stringify([bucket.endpointId, bucket.bucket]);
    const fresh = this.buckets.list().filter((bucket) => !this.watched.has(nameOf(bucket)));
    await watchBuckets(this.database, fresh, wholeMilliseconds(this.clock));
    for (const bucket of fresh) this.watched.add(nameOf(bucket));
  }
}
