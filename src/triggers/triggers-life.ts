import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { BacklogBell } from '../backlog/backlog-bell.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { HealthRegistry } from '../ops/health.js';
import { LOG, type Log } from '../ops/log.js';
import { ObjectStorage } from '../s3/object-storage.js';
import { Ledger } from '../verdicts/ledger.js';
import { RulesFile } from './rules-file.js';
import { TriggerRules } from './trigger-rules.js';
import { Triggers } from './triggers.service.js';
import { UploadDecider } from './upload-decider.js';

/** Runs, where the role `intake` is, what decides waiting uploads and what keeps the rules of a file. */
@Injectable()
export class TriggersLife implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly decider: UploadDecider;
  private readonly file: RulesFile | undefined;

  constructor(
    database: Database,
    clock: Clock,
    rules: TriggerRules,
    storage: ObjectStorage,
    ledger: Ledger,
    bell: BacklogBell,
    triggers: Triggers,
    @Inject(LOG) log: Log,
    @Inject(CONFIG) private readonly config: Config,
    private readonly health: HealthRegistry,
  ) {
    this.decider = new UploadDecider({ database, clock, rules, storage, ledger, bell, log });
    const path = config.TRIGGERS_FILE;
    this.file = path === undefined ? undefined : new RulesFile({ path, triggers, clock, log });
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.config.ROLES.includes('intake')) return;
    this.decider.start();
    if (this.file === undefined) return;
    this.health.add(this.file);
    await this.file.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.decider.stop(), this.file?.stop()]);
  }
}
