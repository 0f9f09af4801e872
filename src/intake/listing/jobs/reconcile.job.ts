import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../clock.js';
import type { JsonObject } from '../../../engine/model/json.js';
import { ScheduledJob, type Firing } from '../../../triggers/schedules/scheduled-job.js';
import { ReconcileWish } from '../input.js';
import { ListingWishes } from '../wishes.js';
import { payloadOf } from './payload.js';

/** Compares buckets with the ledger, and scans what no event told of. */
@Injectable()
export class ReconcileJob extends ScheduledJob {
  readonly kind = 'reconcile';

  constructor(private readonly wishes: ListingWishes) {
    super();
  }

  checkPayload(payload: JsonObject): void {
    payloadOf(ReconcileWish, payload);
  }

  async run(payload: JsonObject, _: Instant, { id, scheduleName }: Firing): Promise<void> {
    const request = {
      actor: 'system:schedules',
      cause: `schedule ${scheduleName}`,
      onceKey: `schedule:${id}`,
    };
    await this.wishes.reconcile(payloadOf(ReconcileWish, payload), request);
  }
}
