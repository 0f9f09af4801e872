import { z } from 'zod';
import { VERDICTS } from '../../verdicts/verdict.js';
import { progressOf } from './progress.js';
import { RUN_KINDS, RUN_STATES, type RunAnswer, type RunCounts } from './run-answer.js';
import { NO_COUNTS, type Run } from './run.js';

const iso = z.iso.datetime().nullable();
const count = z.number();

const Estimate = z
  .object({
    /** False: extrapolated from samples. */
    isExact: z.boolean(),
    seen: count,
    objects: count,
    bytes: count,
    alreadyDone: count,
    toScan: count,
    bytesToScan: count,
    expectedSeconds: count,
    throughput: z.object({
      objectsPerSecond: z.number(),
      bytesPerSecond: z.number(),
      basis: z.enum(['measured', 'assumed']),
    }),
    requests: z.object({ list: count, get: count, head: count, getTags: count, putTags: count }),
    cost: z.number(),
    prices: z.object({
      currency: z.string(),
      perThousandList: z.number(),
      perThousandGet: z.number(),
      perThousandPut: z.number(),
      perGigabyteOut: z.number(),
    }),
  })
  .meta({ id: 'BackfillEstimate' });

const Counts = z.object(
  Object.fromEntries(Object.keys(NO_COUNTS).map((name) => [name, count])) as Record<
    keyof RunCounts,
    typeof count
  >,
);

/** A backfill, rescan or reconciliation as the API shows it. What is not known is null. */
export const RunView = z
  .object({
    id: z.uuid(),
    kind: z.enum(RUN_KINDS),
    state: z.enum(RUN_STATES),
    endpointId: z.string().nullable(),
    bucket: z.string().nullable(),
    prefix: z.string(),
    options: z.record(z.string(), z.unknown()),
    requestedBy: z.string(),
    cause: z.string(),
    createdAt: z.iso.datetime(),
    startedAt: iso,
    listedAt: iso,
    endedAt: iso,
    /** Objects that need nothing more, of how many, and how long the rest takes. */
    progress: z.object({
      done: count,
      total: count.nullable(),
      secondsToGo: count.nullable(),
      objectsPerSecond: count.nullable(),
    }),
    counts: Counts,
    /** Of the scans of this run that have ended. */
    verdicts: z.partialRecord(z.enum(VERDICTS), count),
    estimate: Estimate.nullable(),
    /** Why it does not get on, or why it failed. */
    error: z.string().nullable(),
    retryAt: iso,
  })
  .meta({ id: 'ListingRun' });
export type RunView = z.infer<typeof RunView>;

export const RunPage = z
  .object({ items: z.array(RunView), nextCursor: z.string().optional() })
  .meta({ id: 'ListingRunPage' });
export type RunPage = z.infer<typeof RunPage>;

const isoOf = (at: number | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString();

export function runView(run: Run): RunView & RunAnswer {
  const { done, total, secondsToGo } = progressOf(run);
  return {
    id: run.id,
    kind: run.kind,
    state: run.state,
    endpointId: run.endpointId ?? null,
    bucket: run.bucket ?? null,
    prefix: run.prefix,
    options: { ...run.options },
    requestedBy: run.requestedBy,
    cause: run.cause,
    createdAt: new Date(run.createdAt).toISOString(),
    startedAt: isoOf(run.startedAt),
    listedAt: isoOf(run.listedAt),
    endedAt: isoOf(run.endedAt),
    progress: {
      done,
      total: total ?? null,
      secondsToGo: secondsToGo ?? null,
      objectsPerSecond: run.pace ?? null,
    },
    counts: { ...run.counts },
    verdicts: { ...run.verdicts },
    estimate: run.estimate ?? null,
    error: run.lastError ?? null,
    retryAt: run.state === 'running' && run.notBefore > 0 && run.failures > 0 ? isoOf(run.notBefore) : null,
  };
}
