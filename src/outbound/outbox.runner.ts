import { randomUUID } from 'node:crypto';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { RestoreHold } from '../database/restore-hold.js';
import { HealthCheck, HealthRegistry, type HealthResult } from '../ops/health.js';
import { LOG, type Log } from '../ops/log.js';
import { DeliveryLoop } from './delivery-loop.js';
import { OutboxBell } from './outbox-bell.js';
import { OUTBOX_HANDLERS, type OutboxHandler } from './outbox.js';
import { outboxHealth } from './sql/outbox-health.js';
import { purgeFailed, purgeSent } from './sql/purge-sent.js';

const PURGE_EVERY_MS = 600_000;
const DAY_MS = 86_400_000;
// Waiting longer than this is shown: something that delivers is away or slow.
const DEGRADED_AFTER_SECONDS = 300;

/** Runs one delivery loop per handler whose role this process has, and shows the outbox in /health. */
@Injectable()
export class OutboxRunner extends HealthCheck implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly name = 'outbox';
  private loops: DeliveryLoop[] = [];
  private purging: NodeJS.Timeout | undefined;

  constructor(
    @Inject(OUTBOX_HANDLERS) private readonly handlers: readonly OutboxHandler[],
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly bell: OutboxBell,
    private readonly health: HealthRegistry,
    private readonly hold: RestoreHold,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.health.add(this);
    const parts = {
      db: this.db,
      clock: this.clock,
      bell: this.bell,
      log: this.log,
      hold: this.hold,
      owner: randomUUID(),
      random: Math.random,
    };
    this.loops = this.handlers
      .filter((handler) => this.config.ROLES.includes(handler.role))
      .map((handler) => new DeliveryLoop(handler, parts));
    for (const loop of this.loops) loop.start();
    if (this.loops.length > 0) this.purging = setInterval(() => void this.purge(), PURGE_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.purging);
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  async check(): Promise<readonly HealthResult[]> {
    const kinds = await outboxHealth(this.db, Math.round(this.clock.now()));
    const failed = kinds.reduce((sum, kind) => sum + kind.failed, 0);
    const late = kinds.filter((kind) => kind.stuck > 0 || kind.oldestWaitingSeconds > DEGRADED_AFTER_SECONDS);
    if (failed === 0 && late.length === 0)
      return [{ name: this.name, healthy: true, detail: 'everything is delivered or on its way' }];
    const told = kinds
      .filter((kind) => kind.failed > 0 || late.includes(kind))
      .map(
        (kind) =>
          `${kind.kind}: ${kind.waiting} waiting (oldest ${Math.round(kind.oldestWaitingSeconds)} s), ${kind.failed} given up` +
          (kind.lastReason === undefined ? '' : ` (${kind.lastReason})`),
      );
    return [{ name: this.name, healthy: true, degraded: true, detail: told.join('; ') }];
  }

  private async purge(): Promise<void> {
    try {
      const now = Math.round(this.clock.now());
      await purgeSent(this.db, now);
      for (const { kind, forgetFailedAfterDays: days } of this.handlers)
        if (days !== undefined) await purgeFailed(this.db, kind, now - days * DAY_MS);
    } catch (error) {
      this.log.warn({ err: error }, 'old outbox rows could not be removed; tried again later');
    }
  }
}
