import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { EngineRuntime } from '../runtime/engine-runtime.js';
import { Housekeeping } from './housekeeping.js';
import { Retention } from './retention.js';
import { RETENTION_HOLDS, type RetentionHold } from './retention-hold.js';

// Commands in memory that wait for their commit: more than a few batches' worth means that the database is behind.
const BUSY_COMMANDS = 1_000;

/** Housekeeping on nodes with the role `engine`, once the stages that may hold executions exist. */
@Injectable()
export class HousekeepingLife implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private housekeeping: Housekeeping | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(RETENTION_HOLDS) private readonly holds: readonly Type<RetentionHold>[],
    private readonly modules: ModuleRef,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly runtime: EngineRuntime,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.ROLES.includes('engine')) return;
    const { db, clock, runtime } = this;
    const { log, payloads, store } = runtime;
    const holds = this.holds.map((hold) => this.modules.get<RetentionHold>(hold, { strict: false }));
    const retention = new Retention({
      db,
      clock,
      log,
      defaultDays: this.config.RETENTION_DAYS,
      holds: () => holds,
      isBusy: () => runtime.committer.depth.count > BUSY_COMMANDS,
    });
    this.housekeeping = new Housekeeping({ db, store, clock, log, retention, payloads });
    this.housekeeping.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.housekeeping?.stop();
  }
}
