import type { Queryable } from '../database/queryable.js';
import type { ObjectStorage } from '../s3/object-storage.js';

/** Copies in quarantine that the ledger knows nothing of: a former life moved them behind the backup. */
export interface LeftCopies {
  readonly count: number;
  readonly examples: readonly { readonly bucket: string; readonly key: string }[];
}

const MAX_EXAMPLES = 100;

/** Lists every quarantine bucket: a request for each thousand objects in it. */
export async function leftCopies(
  db: Queryable,
  storage: ObjectStorage,
  places: readonly { readonly endpointId: string; readonly bucket: string }[],
  signal: AbortSignal,
): Promise<LeftCopies> {
  const examples: { bucket: string; key: string }[] = [];
  let count = 0;
  for (const place of places) {
    for (let after: string | undefined = ''; after !== undefined;) {
      signal.throwIfAborted();
      const page: Awaited<ReturnType<ObjectStorage['list']>> = await storage.list(
        place,
        after === '' ? {} : { after },
      );
      const keys = page.items.map(({ key }) => key);
      const known = await knownPlaces(db, place, keys);
      for (const key of keys) {
        if (known.has(key)) continue;
        count += 1;
        if (examples.length < MAX_EXAMPLES) examples.push({ bucket: place.bucket, key });
      }
      after = page.nextAfter;
    }
  }
  return { count, examples };
}

async function knownPlaces(
  db: Queryable,
  { endpointId, bucket }: { readonly endpointId: string; readonly bucket: string },
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ key: string }>(
    `SELECT quarantine_key AS key FROM quarantined_object
      WHERE endpoint_id = $1 AND quarantine_bucket = $2 AND quarantine_key = ANY ($3)`,
    [endpointId, bucket, keys],
  );
  return new Set(rows.map(({ key }) => key));
}
