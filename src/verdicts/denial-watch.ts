import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { HealthCheck, HealthRegistry, type HealthResult } from '../ops/health.js';
import { LOG, type Log } from '../ops/log.js';
import { Alerts } from '../outbound/alerts.js';
import { Recurring } from '../recurring.js';
import { Buckets } from '../s3/buckets.js';
import { alertOf, healthOf } from './denials.js';
import {
  bucketDenials,
  deniedObjects,
  forgetResolved,
  markTold,
  takeUntold,
  type BucketDenial,
} from './sql/bucket-denials.js';
import { wholeMilliseconds } from './whole-milliseconds.js';

const EVERY_MS = 60_000;
// Each is a mail of its own; the rest has its turn a minute later.
const TOLD_AT_ONCE = 100;
// Rights that hold for some keys alone let other objects through in between: an hour without a refusal proves little.
const QUIET_MS = 6 * 3_600_000;
const AGAIN_MS = 7 * 24 * 3_600_000;
const GONE_MS = 30 * 24 * 3_600_000;

/** Tells of buckets that S3 does not let be read: once for each, however many objects are in it. */
@Injectable()
export class DenialWatch extends HealthCheck implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly name = 'denied';
  private readonly loop: Recurring;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly alerts: Alerts,
    private readonly buckets: Buckets,
    private readonly health: HealthRegistry,
    @Inject(CONFIG) private readonly config: Pick<Config, 'ROLES'>,
    @Inject(LOG) private readonly log: Log,
  ) {
    super();
    this.loop = new Recurring({
      clock,
      log,
      everyMs: EVERY_MS,
      onFailure: 'buckets that may not be read could not be told of; it is tried again',
      turn: () => this.turn(),
    });
  }

  onApplicationBootstrap(): void {
    this.health.add(this);
    if (this.config.ROLES.includes('worker')) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** First what was mended, so that the same trouble later is another one. */
  async turn(): Promise<void> {
    const now = wholeMilliseconds(this.clock);
    await forgetResolved(this.database, { quietSince: now - QUIET_MS, goneSince: now - GONE_MS });
    for (let told = 0; told < TOLD_AT_ONCE; told += 1) if (!(await this.tellNext(now))) return;
  }

  private async tellNext(now: number): Promise<boolean> {
    const denial = await this.database.transaction(async (tx) => {
      const untold = await takeUntold(tx, { since: now - AGAIN_MS });
      if (untold === undefined) return undefined;
      await this.alerts.tell(tx, alertOf(untold, await deniedObjects(tx, untold), now));
      await markTold(tx, untold, now);
      return untold;
    });
    if (denial === undefined) return false;
    const { endpoint_id: endpointId, bucket, reason, detail } = denial;
    this.log.error({ endpointId, bucket, reason, detail }, 'S3 refuses the scans of a bucket');
    return true;
  }

  async check(): Promise<readonly HealthResult[]> {
    const denied = (await bucketDenials(this.database)).filter((denial) => this.isScanned(denial));
    if (denied.length === 0) return [{ name: this.name, healthy: true, detail: 'no scan is refused by S3' }];
    return denied.map((denial) => healthOf(denial));
  }

  private isScanned({ endpoint_id: endpointId, bucket }: BucketDenial): boolean {
    const policy = this.buckets.find(endpointId, bucket);
    return policy !== undefined && policy.enabled !== false;
  }
}
