import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { Together } from '../../database/together.js';
import { RetryLater } from '../../engine/ports.js';
import { KeyedLock } from '../../s3/keyed-lock.js';
import type { ObjectRef } from '../../verdicts/ledger.js';
import { freeObjectLocks, takeObjectLocks, type LockTaking } from './sql/object-locks.js';

const LEASE_MS = 300_000;
// One write to S3 takes at most so long, its retries included: what would not end within the lease is not begun.
const WRITE_MS = 180_000;
const BUSY_SECONDS = 1;

/** Says before a write whether there is time for it. @throws RetryLater when there is not */
export type HeldLock = () => void;

/**
 * One at a time per object, across processes: S3 replaces an object's tags as a whole, and two who read and write them at
 * once would undo each other. A leased row rather than an advisory lock: that would cost a connection for as long as S3
 * takes (docs/decisions/0020).
 */
@Injectable()
export class ObjectLocks {
  private readonly here = new KeyedLock();
  private readonly taking: Together<LockTaking, boolean>;
  private readonly freeing: Together<Pick<LockTaking, 'key' | 'holder'>, undefined>;

  constructor(
    db: Database,
    private readonly clock: Clock,
  ) {
    this.taking = new Together(
      async (takings) => {
        const taken = await takeObjectLocks(db, takings);
        return takings.map(({ key }) => taken.has(key));
      },
      { keyOf: ({ key }) => key },
    );
    this.freeing = new Together(
      async (held) => {
        await freeObjectLocks(db, held);
        return held.map(() => undefined);
      },
      { keyOf: ({ key }) => key },
    );
  }

  /**
   * @param holder the task that writes. Handed out again after a crash, it need not wait for its own lock; an attempt that
   * was given up on and still runs writes the same tags.
   *
   * @throws RetryLater when another process holds the object
   */
  async hold<T>(object: ObjectRef, holder: string, work: (held: HeldLock) => Promise<T>): Promise<T> {
    const { endpointId, bucket, key: name, versionId } = object;
    const key = createHash('sha256')
      .update(JSON.stringify([endpointId, bucket, name, versionId ?? null]))
      .digest('hex');
    return this.here.hold(key, async () => {
      const now = this.clock.now();
      const expiresAt = now + LEASE_MS;
      if (!(await this.taking.do({ key, holder, now, expiresAt })))
        throw new RetryLater(BUSY_SECONDS, 'another process writes the tags of this object');
      try {
        return await work(() => {
          if (this.clock.now() > expiresAt - WRITE_MS)
            throw new RetryLater(BUSY_SECONDS, 'the lock on the object ran out');
        });
      } finally {
        await this.freeing.do({ key, holder });
      }
    });
  }
}
