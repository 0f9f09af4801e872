import type { Queryable } from '../database/queryable.js';
import { StorageError } from '../s3/storage-error.js';
import type { ObjectHead, ObjectStorage } from '../s3/object-storage.js';
import type { ObjectRef } from '../verdicts/ledger.js';

/*
 * What of the moves into quarantine S3 shows otherwise than the restored ledger:
 * - `back`: the ledger says that it is in quarantine; the copy is gone, and an object stands at its old key.
 * - `gone`: the ledger says that it is in quarantine; neither is there.
 * - `moved`: the ledger says that it is being moved; it has been, and the move is taken up as done.
 */
export type Difference = 'back' | 'gone' | 'moved';

export interface QuarantineFindings {
  /** Moves that were compared. */
  readonly compared: number;
  readonly counts: Readonly<Record<Difference, number>>;
  /** S3 did not say; the reasons of the first. */
  readonly unknown: number;
  readonly examples: readonly {
    readonly difference: Difference | 'unknown';
    readonly bucket: string;
    readonly key: string;
    readonly detail?: string;
  }[];
}

const PAGE = 200;
const AT_ONCE = 8;
const MAX_EXAMPLES = 100;

interface Row {
  readonly scan_id: string;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly etag: string;
  readonly quarantine_bucket: string;
  readonly quarantine_key: string;
  readonly state: 'copying' | 'copied' | 'moved';
}

/** Compares every move that is not over with S3: two HEADs for each. */
export async function checkQuarantine(
  db: Queryable,
  storage: ObjectStorage,
  signal: AbortSignal,
): Promise<QuarantineFindings> {
  const counts = { back: 0, gone: 0, moved: 0 };
  const examples: QuarantineFindings['examples'][number][] = [];
  let compared = 0;
  let unknown = 0;
  for (let after = NO_ID; ;) {
    signal.throwIfAborted();
    const rows = await openMoves(db, after);
    for (let at = 0; at < rows.length; at += AT_ONCE) {
      const some = rows.slice(at, at + AT_ONCE);
      const found = await Promise.all(some.map((row) => compare(storage, row)));
      for (const [index, one] of found.entries()) {
        compared += 1;
        if (one === undefined) continue;
        if (one.difference === 'unknown') unknown += 1;
        else counts[one.difference] += 1;
        const { bucket, key } = some[index] as Row;
        if (examples.length < MAX_EXAMPLES) examples.push({ ...one, bucket, key });
      }
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return { compared, counts, unknown, examples };
    after = last.scan_id;
  }
}

const NO_ID = '00000000-0000-0000-0000-000000000000';

const openMoves = (db: Queryable, after: string): Promise<Row[]> =>
  db.query<Row & Record<string, unknown>>(
    `SELECT scan_id, endpoint_id, bucket, key, version_id, etag, quarantine_bucket, quarantine_key, state
       FROM quarantined_object WHERE state IN ('copying', 'copied', 'moved') AND scan_id > $1
      ORDER BY scan_id LIMIT $2`,
    [after, PAGE],
  );

async function compare(
  storage: ObjectStorage,
  row: Row,
): Promise<{ difference: Difference | 'unknown'; detail?: string } | undefined> {
  const { endpoint_id: endpointId, bucket, key, state } = row;
  try {
    const copy = await headOf(storage, {
      endpointId,
      bucket: row.quarantine_bucket,
      key: row.quarantine_key,
    });
    const isOurs = copy?.metadata['sallyport-scan-id'] === row.scan_id;
    if (state === 'moved') {
      if (isOurs) return undefined;
      const there = await headOf(storage, { endpointId, bucket, key });
      return { difference: there === undefined ? 'gone' : 'back' };
    }
    if (!isOurs) return undefined;
    const version = row.version_id === null ? {} : { versionId: row.version_id };
    const original = await headOf(storage, { endpointId, bucket, key, eTag: row.etag, ...version });
    return original === undefined ? { difference: 'moved' } : undefined;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return { difference: 'unknown', detail: error.message };
  }
}

async function headOf(
  storage: ObjectStorage,
  ref: ObjectRef & { readonly eTag?: string },
): Promise<ObjectHead | undefined> {
  try {
    return await storage.head(ref);
  } catch (error) {
    const isGone =
      error instanceof StorageError && (error.outcome === 'gone' || error.outcome === 'superseded');
    if (isGone) return undefined;
    throw error;
  }
}
