import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../clock.js';
import { Buckets } from '../../s3/buckets.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import type { ReconcileWish, RescanWish } from './input.js';
import type { Run } from './run.js';
import { ListingRuns, type RunRequest } from './runs.service.js';

const DAY_MS = 86_400_000;

/** Turns what people and schedules wish into runs. */
@Injectable()
export class ListingWishes {
  constructor(
    private readonly runs: ListingRuns,
    private readonly buckets: Buckets,
    private readonly clock: Clock,
  ) {}

  /** @throws InvalidInput for a bucket that is not registered. */
  rescan(wish: RescanWish, request: RunRequest): Promise<Run> {
    const now = wholeMilliseconds(this.clock);
    const { bucket, prefix, verdicts, notScannedSince, notScannedDays, maxAgeDays } = wish;
    const before = [
      notScannedSince,
      notScannedDays === undefined ? undefined : now - notScannedDays * DAY_MS,
    ];
    const judgedBefore = before.filter((at) => at !== undefined);
    return this.runs.rescan(
      {
        bucket,
        prefix,
        options: {
          verdicts,
          ...(judgedBefore.length > 0 && { judgedBefore: Math.floor(Math.min(...judgedBefore)) }),
          ...(maxAgeDays !== undefined && { seenAfter: ago(now, maxAgeDays) }),
        },
      },
      request,
    );
  }

  /** One run for each bucket. @throws InvalidInput for a bucket that is not registered. */
  async reconcile(wish: ReconcileWish, request: RunRequest): Promise<readonly Run[]> {
    const { bucket, prefix, graceSeconds, includeOlder } = wish;
    const options = { graceMs: graceSeconds * 1000, includeOlder };
    if (bucket !== undefined) return [await this.runs.reconcile({ bucket, prefix, options }, request)];
    const begun: Run[] = [];
    for (const { bucket: name, endpointId } of this.buckets.list()) {
      const onceKey = request.onceKey && `${request.onceKey}:${endpointId}/${name}`;
      begun.push(
        await this.runs.reconcile({ bucket: name, prefix, options }, { ...request, endpointId, onceKey }),
      );
    }
    return begun;
  }
}

const ago = (now: Instant, days: number): Instant => Math.floor(now - days * DAY_MS);
