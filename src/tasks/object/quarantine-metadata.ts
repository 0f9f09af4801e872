import type { ObjectRef } from '../../verdicts/ledger.js';

type Metadata = Readonly<Record<string, string>>;

const PREFIX = 'sallyport-';
// S3 allows 2 KB of user metadata, names and values together.
const MAX_METADATA_BYTES = 2048;

/**
 * The copy's metadata: the user's own, and where it came from, so that the bucket explains itself without our database.
 * Ours give way when there is no room.
 */
export function quarantineMetadata(
  users: Metadata,
  facts: { original: ObjectRef; eTag: string; scanId: string; verdict: string },
): Metadata {
  const { original } = facts;
  const ours: [string, string][] = [
    ['scan-id', facts.scanId],
    ['verdict', facts.verdict],
    ['original-endpoint', original.endpointId],
    ['original-bucket', original.bucket],
    ['original-etag', facts.eTag],
    ['original-version', original.versionId ?? 'none'],
    // Headers carry ASCII only.
    ['original-key', encodeURIComponent(original.key.toWellFormed())],
  ];
  const result: Record<string, string> = { ...usersOwn(users) };
  for (const [name, value] of ours) {
    const next = { ...result, [PREFIX + name]: value };
    if (bytesOf(next) <= MAX_METADATA_BYTES) result[PREFIX + name] = value;
  }
  return result;
}

/** The metadata as the user wrote it, for the way back. */
export function usersOwn(metadata: Metadata): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !name.startsWith(PREFIX)));
}

const bytesOf = (metadata: Metadata): number =>
  Object.entries(metadata).reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0);
