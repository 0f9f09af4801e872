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
import { Recurring } from '../../recurring.js';
import { ObjectStorage } from '../../s3/object-storage.js';
import { dropExpiredLocks } from './sql/object-locks.js';
import { endAbandonedUploads } from './end-uploads.js';

const EVERY_MS = 3_600_000;

/** Ends copies in parts that no workflow goes on with. Two nodes at once do no harm: the second finds them gone. */
@Injectable()
export class AbandonedUploads implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Recurring;

  constructor(
    storage: ObjectStorage,
    db: Database,
    clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) log: Log,
  ) {
    this.loop = new Recurring({
      clock,
      log,
      everyMs: EVERY_MS,
      onFailure: 'copies that nobody finishes could not be ended',
      turn: async () => {
        const ended = await endAbandonedUploads({ storage, db, clock });
        await dropExpiredLocks(db, clock.now() - EVERY_MS);
        if (ended > 0) log.info({ ended }, 'ended copies in parts that nobody finishes');
      },
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('worker') && !this.config.DRY_RUN) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
