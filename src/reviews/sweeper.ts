import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { LOG, type Log } from '../ops/log.js';
import { ReviewsService } from './reviews.service.js';
import { claimUnchecked } from './sql/claim-unchecked.js';

const LOOK_EVERY_MS = 5000;
const CHECK_EACH_AFTER_MS = 15_000;
const BATCH = 100;

/** Closes reviews whose workflow ended without them, so that nobody is asked for nothing. Runs in role engine. */
@Injectable()
export class ReviewSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly reviews: ReviewsService,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('engine')) this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** One bounded look. @returns how many reviews were closed. */
  async sweep(): Promise<number> {
    const now = Math.round(this.clock.now());
    const due = await claimUnchecked(this.db, { now, notSince: now - CHECK_EACH_AFTER_MS, limit: BATCH });
    let closed = 0;
    for (const { id, task_id } of due) {
      if (this.stopping.signal.aborted) break;
      if (await this.reviews.cancelIfTaskEnded(id, task_id)) closed += 1;
    }
    return closed;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.clock.sleepUntil(this.clock.now() + LOOK_EVERY_MS, signal);
      if (signal.aborted) return;
      try {
        await this.sweep();
      } catch (error) {
        this.log.warn({ err: error }, 'open reviews could not be checked; tried again soon');
      }
    }
  }
}
