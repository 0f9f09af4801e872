import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { Engine } from '../engine/ports.js';
import { LOG, type Log } from '../ops/log.js';
import { Ledger } from '../verdicts/ledger.js';
import { ScanProgress } from '../verdicts/progress.js';
import { BacklogBell } from './backlog-bell.js';
import { Dispatcher } from './dispatcher.js';
import { StrayScans } from './stray-scans.js';

// Enough that the scanners never wait for work: several scans are between two tasks while one is read.
const RUNNING_PER_SCANNER = 4;
const MIN_RUNNING = 32;

/** Runs the dispatcher, and the search for scans that nobody ended, where the role `intake` is. */
@Injectable()
export class BacklogService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly dispatcher: Dispatcher;
  private readonly strays: StrayScans;
  private endSubscription: (() => void) | undefined;

  constructor(
    database: Database,
    clock: Clock,
    engine: Engine,
    ledger: Ledger,
    private readonly bell: BacklogBell,
    private readonly progress: ScanProgress,
    @Inject(LOG) log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    const maxRunning = Math.max(MIN_RUNNING, RUNNING_PER_SCANNER * config.SCAN_CONCURRENCY);
    this.dispatcher = new Dispatcher({ database, clock, engine, bell, log, maxRunning });
    this.strays = new StrayScans({ database, engine, ledger, clock, log });
  }

  onApplicationBootstrap(): void {
    if (!this.config.ROLES.includes('intake')) return;
    this.endSubscription = this.progress.onFreed(() => this.bell.ring());
    this.dispatcher.start();
    this.strays.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.endSubscription?.();
    await Promise.all([this.dispatcher.stop(), this.strays.stop()]);
  }
}
