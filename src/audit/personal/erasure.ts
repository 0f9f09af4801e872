import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Conflict } from '../../errors.js';
import { appendAudit } from '../audit.js';
import { erasePersonal } from '../sql/personal.js';
import { ERASED, told } from './told.js';

/** What may keep somebody's facts from being erased, as a legal hold. */
export abstract class ErasureHold {
  /**
   * @param tx that erases.
   * @returns a sentence that says why, and who can lift it; `undefined` where nothing is held.
   */
  abstract holds(person: string, tx: Queryable): Promise<string | undefined>;
}

/** All of them: {@link ErasureHold}. */
export const ERASURE_HOLDS = Symbol('ERASURE_HOLDS');

// In one transaction, with one event that tells of each.
const BATCH = 1000;

/** Erases what the record says of a person. The events stay, and the chain stays whole. */
@Injectable()
export class Erasure {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    @Inject(ERASURE_HOLDS) private readonly holds: readonly ErasureHold[],
  ) {}

  /**
   * Once more erases what was recorded since; a request that finds nothing is on record, too.
   *
   * @param person as an actor: `user:…`.
   * @returns how many values.
   * @throws Conflict while something holds them.
   */
  async erase(person: string, reason: string, actor: string): Promise<number> {
    let erased = 0;
    for (;;) {
      const values = await this.db.transaction(async (tx) => {
        for (const hold of this.holds) {
          const why = await hold.holds(person, tx);
          if (why !== undefined) throw new Conflict(`${person} cannot be erased: ${why}`, { person });
        }
        const gone = await erasePersonal(tx, person, BATCH);
        const data = { values: gone.length, reason, commitments: gone.map(told) };
        const at = Math.round(this.clock.now());
        await appendAudit(tx, [{ at, actor, action: ERASED, subject: person, data }]);
        return gone.length;
      });
      erased += values;
      if (values < BATCH) return erased;
    }
  }
}
