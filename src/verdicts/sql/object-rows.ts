import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { ObjectFacts, ObjectRef } from '../ledger.js';

/** Place of an upload among the uploads of its key; compares within one domain only. */
export interface Sequence {
  readonly domain: string;
  /** Right-padded to one length, so that text order is the order. */
  readonly padded: string;
}

/** What made us look: an event, or somebody who asked. */
export type Origin = 'event' | 'request';

export interface NewObject {
  readonly id: string;
  readonly ref: ObjectRef;
  readonly identity: string;
  readonly identityFixed: boolean;
  readonly origin: Origin;
  readonly facts: { readonly [name in keyof ObjectFacts]?: ObjectFacts[name] | undefined };
  readonly sequence?: Sequence | undefined;
  readonly isLatest: boolean;
  readonly uploadedAt: Instant;
  readonly firstSeenAt: Instant;
  /** Who uploaded it, as its event says. */
  readonly uploader?: string | undefined;
  /** 1 when its first scan is opened with it, else 0. */
  readonly generation: 0 | 1;
}

/** Inserts object versions. The caller holds their keys' locks and found no row of any of these identities. */
export async function insertObjects(tx: Queryable, objects: readonly NewObject[]): Promise<void> {
  if (objects.length === 0) return;
  const rows = objects.map(({ ref, facts, sequence, ...object }) => ({
    id: object.id,
    endpoint_id: ref.endpointId,
    bucket: ref.bucket,
    key: ref.key,
    version_id: ref.versionId,
    identity: object.identity,
    identity_fixed: object.identityFixed,
    origin: object.origin,
    e_tag: facts.eTag,
    size_bytes: facts.sizeBytes,
    last_modified: facts.lastModified,
    content_type: facts.contentType,
    storage_class: facts.storageClass,
    sequence_domain: sequence?.domain,
    sequence: sequence?.padded,
    is_latest: object.isLatest,
    uploaded_at: object.uploadedAt,
    first_seen_at: object.firstSeenAt,
    generation: object.generation,
    uploader: object.uploader,
  }));
  await tx.query(
    `INSERT INTO object_version (id, endpoint_id, bucket, key, version_id, identity, identity_fixed, origin,
                                 e_tag, size_bytes, last_modified, content_type, storage_class,
                                 sequence_domain, sequence, is_latest, uploaded_at, first_seen_at, generation,
                                 uploader)
     SELECT id, endpoint_id, bucket, key, version_id, identity, identity_fixed, origin,
            e_tag, size_bytes, last_modified, content_type, storage_class,
            sequence_domain, sequence, is_latest, uploaded_at, first_seen_at, generation,
            uploader
       FROM json_to_recordset($1::json) AS o (id uuid, endpoint_id text, bucket text, key text, version_id text,
            identity text, identity_fixed boolean, origin text, e_tag text, size_bytes bigint, last_modified text,
            content_type text, storage_class text, sequence_domain text, sequence text, is_latest boolean,
            uploaded_at bigint, first_seen_at bigint, generation int, uploader text)`,
    [JSON.stringify(rows)],
  );
}

/**
 * Notes who uploaded what the ledger knew already without that: of one seen in a listing, or told of by a scanner first. What
 * was told once stays, but an account gives way to the principal in it, which says more.
 */
export async function tellUploaders(
  tx: Queryable,
  told: readonly { readonly objectId: string; readonly uploader: string }[],
): Promise<void> {
  if (told.length === 0) return;
  await tx.query(
    // In the order in which everybody locks objects.
    `WITH news AS MATERIALIZED (
       SELECT o.id, t.uploader FROM object_version o
         JOIN (SELECT DISTINCT ON (id) id, uploader FROM unnest($1::uuid[], $2::text[]) AS t (id, uploader)) t ON t.id = o.id
        WHERE o.uploader IS NULL OR (o.uploader ~ '^[0-9]{12}$' AND t.uploader !~ '^[0-9]{12}$')
        ORDER BY o.id FOR NO KEY UPDATE OF o)
     UPDATE object_version o SET uploader = n.uploader FROM news n WHERE n.id = o.id`,
    [told.map(({ objectId }) => objectId), told.map(({ uploader }) => uploader)],
  );
}

/** A row of the ledger that is there already. */
export interface KnownObject {
  readonly id: string;
  readonly generation: number;
}

/** The rows of these identities that are known; follows a fold to the row that stands for the bytes. */
export async function findByIdentities(
  tx: Queryable,
  identities: readonly string[],
): Promise<Map<string, KnownObject>> {
  const rows = await tx.query<KnownObject & { identity: string }>(
    `SELECT o.identity, t.id, t.generation
       FROM object_version o JOIN object_version t ON t.id = coalesce(o.folded_into, o.id)
      WHERE o.identity = ANY ($1)`,
    [identities],
  );
  return new Map(rows.map(({ identity, id, generation }) => [identity, { id, generation }]));
}

/** The row of the unversioned object whose bytes were taken back from an archive. */
export async function findRestored(
  tx: Queryable,
  ref: ObjectRef,
  eTag: string | undefined,
): Promise<KnownObject | undefined> {
  const [row] = await tx.query<KnownObject>(
    `SELECT id, generation FROM object_version
      WHERE endpoint_id = $1 AND bucket = $2 AND key = $3 AND (version_id IS NULL OR version_id = 'null')
        AND folded_into IS NULL AND deleted_at IS NULL AND identity_fixed
        AND ($4::text IS NULL OR e_tag = $4)
      ORDER BY first_seen_at DESC LIMIT 1`,
    [ref.endpointId, ref.bucket, ref.key, eTag ?? null],
  );
  return row;
}

/** A key's upload with its place among the uploads of that key. */
export interface SequencedUpload {
  readonly ref: ObjectRef;
  readonly sequence: Sequence;
}

/** Of which of these a later upload of the same key is known; sequences of other sources say nothing. */
export async function overtaken<Upload extends SequencedUpload>(
  tx: Queryable,
  uploads: readonly Upload[],
): Promise<Set<Upload>> {
  if (uploads.length === 0) return new Set();
  const rows = await tx.query<{ n: number }>(
    `SELECT u.n::int FROM ${placesOf('$1, $2, $3, $4, $5')} AS u (endpoint_id, bucket, key, domain, sequence, n)
      WHERE EXISTS (
        SELECT FROM object_version o
         WHERE o.endpoint_id = u.endpoint_id AND o.bucket = u.bucket AND o.key = u.key
           AND o.sequence_domain = u.domain AND o.sequence > u.sequence COLLATE "C")`,
    [
      ...places(uploads.map(({ ref }) => ref)),
      uploads.map(({ sequence }) => sequence.domain),
      uploads.map(({ sequence }) => sequence.padded),
    ],
  );
  return new Set(rows.map(({ n }) => uploads[n - 1]).filter((upload) => upload !== undefined));
}

/** For which of these keys the ledger knows which state is the latest. */
export async function haveLatest<Told extends { readonly ref: ObjectRef }>(
  tx: Queryable,
  told: readonly Told[],
): Promise<Set<Told>> {
  if (told.length === 0) return new Set();
  const rows = await tx.query<{ n: number }>(
    `SELECT u.n::int FROM ${placesOf('$1, $2, $3')} AS u (endpoint_id, bucket, key, n)
      WHERE EXISTS (
        SELECT FROM object_version o
         WHERE o.endpoint_id = u.endpoint_id AND o.bucket = u.bucket AND o.key = u.key AND o.is_latest)`,
    places(told.map(({ ref }) => ref)),
  );
  return new Set(rows.map(({ n }) => told[n - 1]).filter((one) => one !== undefined));
}

/** The other states of these keys are no longer their latest. */
export async function demoteOthers(
  tx: Queryable,
  latest: readonly { readonly ref: ObjectRef; readonly id: string }[],
): Promise<void> {
  if (latest.length === 0) return;
  await tx.query(
    `UPDATE object_version o SET is_latest = false
       FROM ${placesOf('$1, $2, $3, $4')} AS l (endpoint_id, bucket, key, id, n)
      WHERE o.endpoint_id = l.endpoint_id AND o.bucket = l.bucket AND o.key = l.key
        AND o.id <> l.id::uuid AND o.is_latest`,
    [...places(latest.map(({ ref }) => ref)), latest.map(({ id }) => id)],
  );
}

const placesOf = (parameters: string): string =>
  `unnest(${parameters
    .split(', ')
    .map((parameter) => `${parameter}::text[]`)
    .join(', ')}) WITH ORDINALITY`;

const places = (refs: readonly ObjectRef[]): readonly (readonly string[])[] => [
  refs.map(({ endpointId }) => endpointId),
  refs.map(({ bucket }) => bucket),
  refs.map(({ key }) => key),
];

/**
 * Marks what a delete event removed: the version that it names, else every state of the key that it came after. Where no
 * event names versions, nobody knows which one it was: what the service removes is marked as it does it, and what others
 * remove by the comparison with the listing.
 */
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
