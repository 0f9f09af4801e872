import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { LOG, type Log } from '../../ops/log.js';
import { ScheduledJobs } from './scheduled-job.js';
import { Scheduler } from './scheduler.js';

/** Runs the scheduler where the role `intake` is. */
@Injectable()
export class ScheduleRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly scheduler: Scheduler;

  constructor(
    database: Database,
    clock: Clock,
    jobs: ScheduledJobs,
    @Inject(LOG) log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.scheduler = new Scheduler({ database, clock, jobs, log });
  }

  /** Somebody asked for a run; another node finds it within a second. */
  wake(): void {
    this.scheduler.wake();
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('intake')) this.scheduler.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.scheduler.stop();
  }
}
