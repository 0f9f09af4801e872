import { Injectable } from '@nestjs/common';
import { ErasureHold } from '../../audit/personal/erasure.js';
import type { Queryable } from '../../database/queryable.js';
import { keepOthersWaiting } from '../../engine/retention/retention-hold.js';
import { listHolds } from './legal-hold.js';

/**
 * While anything is held for a case, nothing is erased of anybody: which of the facts about a person belong to it, no
 * program can tell.
 */
@Injectable()
export class LegalErasureHold extends ErasureHold {
  async holds(_person: string, tx: Queryable): Promise<string | undefined> {
    // Whoever lays one now waits until this is done.
    await keepOthersWaiting(tx);
    const [hold] = await listHolds(tx, { all: false, limit: 1 });
    return hold && `the legal hold ${hold.id} is in force (${hold.reason}). An admin lifts it.`;
  }
}
