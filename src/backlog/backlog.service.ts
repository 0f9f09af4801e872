import {
  Inject,
  Injectable,
  Optional,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { Notices } from '../database/notices.js';
import { Engine } from '../engine/ports.js';
import { LOG, type Log } from '../ops/log.js';
import { Buckets } from '../s3/buckets.js';
import { Ledger } from '../verdicts/ledger.js';
import { ScanProgress } from '../verdicts/progress.js';
import { BacklogBell } from './backlog-bell.js';
import { Storm } from './storm.js';
import { DispatchCounts } from './dispatch-counts.js';
import { Dispatcher } from './dispatcher.js';
import { maxRunningOf } from './limits.js';
import { StrayScans } from './stray-scans.js';

/** The channel on which nodes that do not dispatch tell those that do. */
const CHANNEL = 'sallyport_backlog';
const SOMETHING_WAITS = 'w';
const PLACE_IS_FREE = 'f';

/**
 * Runs the dispatcher, and the search for scans that nobody ended, where the role `intake` is. Other nodes tell those
 * what they stored and which scans they ended; what is not heard is seen within a second.
 */
@Injectable()
export class BacklogService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly dispatcher: Dispatcher;
  private readonly strays: StrayScans;
  private readonly subscriptions: (() => void)[] = [];

  constructor(
    database: Database,
    clock: Clock,
    engine: Engine,
    ledger: Ledger,
    buckets: Buckets,
    counts: DispatchCounts,
    private readonly bell: BacklogBell,
    storm: Storm,
    private readonly progress: ScanProgress,
    @Inject(LOG) log: Log,
    @Inject(CONFIG) private readonly config: Config,
    @Optional() private readonly notices?: Notices,
  ) {
    this.dispatcher = new Dispatcher({
      database,
      clock,
      engine,
      bell,
      log,
      maxRunning: maxRunningOf(config),
      maxRunningBytes: config.SCAN_MAX_RUNNING_BYTES,
      isStorm: () => storm.isOn(clock.now()),
      quotasOf: (endpointId, bucket) => buckets.find(endpointId, bucket)?.quotas,
      onStarted: (source) => counts.started(source),
      onFailed: (outcome) => counts.failed(outcome),
    });
    this.strays = new StrayScans({ database, engine, ledger, clock, log });
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('intake')) this.dispatchHere();
    else this.tellDispatchers();
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const end of this.subscriptions.splice(0)) end();
    await Promise.all([this.dispatcher.stop(), this.strays.stop()]);
  }

  private dispatchHere(): void {
    const { dispatcher, bell, progress, notices } = this;
    this.subscriptions.push(progress.onFreed(() => dispatcher.freed()));
    if (notices !== undefined) {
      this.subscriptions.push(
        notices.on(CHANNEL, (payload) => (payload === PLACE_IS_FREE ? dispatcher.freed() : bell.ring())),
        notices.onReconnect(() => bell.ring()),
      );
    }
    dispatcher.start();
    this.strays.start();
  }

  private tellDispatchers(): void {
    const { bell, progress, notices } = this;
    if (notices === undefined) return;
    this.subscriptions.push(
      bell.onRing(() => notices.publish(CHANNEL, SOMETHING_WAITS)),
      progress.onFreed(() => notices.publish(CHANNEL, PLACE_IS_FREE)),
    );
  }
}
