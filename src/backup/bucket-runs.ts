import type { Queryable } from '../database/queryable.js';
import { Conflict } from '../errors.js';
import type { Run } from '../intake/listing/run.js';
import type { ListingRuns } from '../intake/listing/runs.service.js';
import { runsOf } from '../intake/listing/sql/runs.js';
import type { BucketPolicy } from '../s3/buckets.js';

// Only so many runs may be open in all, and uploads that nobody told of want theirs.
const MOST_AT_ONCE = 4;

/** Which runs list the buckets, and how many buckets have none yet. */
export interface BucketRuns {
  readonly runs: string[];
  readonly waiting: number;
}

export const causeOf = (restorationId: string): string => `restore ${restorationId}`;

/** What there is of these runs, in their order. */
export async function bucketRuns(
  db: Queryable,
  restorationId: string,
  ids: readonly string[],
): Promise<Run[]> {
  const found = new Map((await runsOf(db, causeOf(restorationId))).map((run) => [run.id, run]));
  return ids.flatMap((id) => found.get(id) ?? []);
}

/** Begins to compare further buckets, as many as may be listed at once beside those that are. */
export async function beginSome(
  parts: { readonly db: Queryable; readonly runs: ListingRuns; readonly policies: readonly BucketPolicy[] },
  {
    restorationId,
    at,
    actor,
  }: { readonly restorationId: string; readonly at: number; readonly actor: string },
  before: readonly string[],
): Promise<BucketRuns> {
  const begun = await bucketRuns(parts.db, restorationId, before);
  const places = new Set(begun.map(placeOf));
  const missing = parts.policies.filter((policy) => !places.has(placeOf(policy)));
  const open = begun.filter(({ state, listedAt }) => state === 'running' && listedAt === undefined).length;
  const runs = begun.map(({ id }) => id);
  const cause = causeOf(restorationId);
  for (const { endpointId, bucket } of missing.slice(0, Math.max(0, MOST_AT_ONCE - open))) {
    const onceKey = `${cause} ${at} ${endpointId}/${bucket}`;
    try {
      // No grace: their events may have been told to the former life, which took them.
      const wanted = { bucket, options: { graceMs: 0 } };
      const run = await parts.runs.reconcile(wanted, { actor, cause, endpointId, onceKey, isAlone: true });
      runs.push(run.id);
    } catch (error) {
      // Too many are open: the next look begins it.
      if (error instanceof Conflict) break;
      throw error;
    }
  }
  return { runs, waiting: missing.length - (runs.length - begun.length) };
}

const placeOf = ({
  endpointId,
  bucket,
}: {
  readonly endpointId?: string | undefined;
  readonly bucket?: string | undefined;
}): string => JSON.stringify([endpointId, bucket]);
