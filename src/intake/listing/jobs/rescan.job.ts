import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../clock.js';
import type { JsonObject } from '../../../engine/model/json.js';
import { ScheduledJob, type Firing } from '../../../triggers/schedules/scheduled-job.js';
import { RescanWish } from '../input.js';
import { ListingWishes } from '../wishes.js';
import { payloadOf } from './payload.js';

/** Looks again at objects of the ledger. */
@Injectable()
export class RescanJob extends ScheduledJob {
  readonly kind = 'rescan';

  constructor(private readonly wishes: ListingWishes) {
    super();
  }

  checkPayload(payload: JsonObject): void {
    payloadOf(RescanWish, payload);
  }

  async run(payload: JsonObject, _: Instant, { id, scheduleName }: Firing): Promise<void> {
    const request = {
      actor: 'system:schedules',
      cause: `schedule ${scheduleName}`,
      onceKey: `schedule:${id}`,
    };
    await this.wishes.rescan(payloadOf(RescanWish, payload), request);
  }
}
