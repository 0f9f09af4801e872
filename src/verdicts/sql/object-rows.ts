import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { ObjectFacts, ObjectRef } from '../ledger.js';

/** Place of an upload among the uploads of its key; compares within one domain only. */
export interface Sequence {
  readonly domain: string;
  /** Right-padded to one length, so that text order is the order. */
  readonly padded: string;
}

export interface NewObject {
  readonly id: string;
  readonly ref: ObjectRef;
  readonly identity: string;
  readonly identityFixed: boolean;
  readonly origin: 'event' | 'request';
  readonly facts: { readonly [name in keyof ObjectFacts]?: ObjectFacts[name] | undefined };
  readonly sequence?: Sequence | undefined;
  readonly isLatest: boolean;
  readonly uploadedAt: Instant;
  readonly firstSeenAt: Instant;
}

/** Inserts an object version. The caller holds the key's lock and found no row of this identity. */
export async function insertObject(tx: Queryable, object: NewObject): Promise<void> {
  await tx.query(
    `INSERT INTO object_version (id, endpoint_id, bucket, key, version_id, identity, identity_fixed, origin,
                                 e_tag, size_bytes, last_modified, content_type, storage_class,
                                 sequence_domain, sequence, is_latest, uploaded_at, first_seen_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
    [
      object.id,
      object.ref.endpointId,
      object.ref.bucket,
      object.ref.key,
      object.ref.versionId ?? null,
      object.identity,
      object.identityFixed,
      object.origin,
      object.facts.eTag ?? null,
      object.facts.sizeBytes ?? null,
      object.facts.lastModified ?? null,
      object.facts.contentType ?? null,
      object.facts.storageClass ?? null,
      object.sequence?.domain ?? null,
      object.sequence?.padded ?? null,
      object.isLatest,
      object.uploadedAt,
      object.firstSeenAt,
    ],
  );
}

/** The row of this identity, if it is known; follows a fold to the row that stands for the bytes. */
export async function findByIdentity(
  tx: Queryable,
  identity: string,
): Promise<{ readonly id: string; readonly generation: number } | undefined> {
  const [row] = await tx.query<{ id: string; generation: number }>(
    `SELECT t.id, t.generation FROM object_version o JOIN object_version t ON t.id = coalesce(o.folded_into, o.id)
      WHERE o.identity = $1`,
    [identity],
  );
  return row;
}

/** The row of the unversioned object whose bytes were taken back from an archive. */
export async function findRestored(
  tx: Queryable,
  ref: ObjectRef,
  eTag: string | undefined,
): Promise<{ readonly id: string; readonly generation: number } | undefined> {
  const [row] = await tx.query<{ id: string; generation: number }>(
    `SELECT id, generation FROM object_version
      WHERE endpoint_id = $1 AND bucket = $2 AND key = $3 AND (version_id IS NULL OR version_id = 'null')
        AND folded_into IS NULL AND deleted_at IS NULL AND identity_fixed
        AND ($4::text IS NULL OR e_tag = $4)
      ORDER BY first_seen_at DESC LIMIT 1`,
    [ref.endpointId, ref.bucket, ref.key, eTag ?? null],
  );
  return row;
}

/** Whether a later upload of the same key is known; sequences of other sources say nothing. */
export async function hasLaterUpload(tx: Queryable, ref: ObjectRef, sequence: Sequence): Promise<boolean> {
  const [row] = await tx.query<{ later: boolean }>(
    `SELECT EXISTS (
       SELECT FROM object_version WHERE endpoint_id = $1 AND bucket = $2 AND key = $3
          AND sequence_domain = $4 AND sequence > $5
     ) AS later`,
    [ref.endpointId, ref.bucket, ref.key, sequence.domain, sequence.padded],
  );
  return row?.later === true;
}

/** The other states of this key are no longer its latest. */
export async function demoteOthers(tx: Queryable, ref: ObjectRef, latestId: string): Promise<void> {
  await tx.query(
    `UPDATE object_version SET is_latest = false
      WHERE endpoint_id = $1 AND bucket = $2 AND key = $3 AND id <> $4 AND is_latest`,
    [ref.endpointId, ref.bucket, ref.key, latestId],
  );
}

/** Marks what a delete event removed: the version that it names, else every state of the key that it came after. */
export async function markDeleted(
  tx: Queryable,
  ref: ObjectRef,
  deletion: { readonly at: Instant; readonly versioned: boolean; readonly sequence?: Sequence | undefined },
): Promise<void> {
  const place = [ref.endpointId, ref.bucket, ref.key, deletion.at];
  if (deletion.versioned) {
    await tx.query(
      `UPDATE object_version SET deleted_at = $4, is_latest = false
        WHERE endpoint_id = $1 AND bucket = $2 AND key = $3 AND version_id = $5 AND deleted_at IS NULL`,
      [...place, ref.versionId],
    );
    return;
  }
  await tx.query(
    `UPDATE object_version SET deleted_at = $4, is_latest = false
      WHERE endpoint_id = $1 AND bucket = $2 AND key = $3 AND deleted_at IS NULL
        AND (version_id IS NULL OR version_id = 'null')
        AND (CASE WHEN sequence_domain = $5 THEN sequence < $6 ELSE uploaded_at <= $4 END)`,
    [...place, deletion.sequence?.domain ?? null, deletion.sequence?.padded ?? null],
  );
}
