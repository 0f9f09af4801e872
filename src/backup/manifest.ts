import { sign, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../canonical-json.js';
import { ConfigError } from '../errors.js';

/** The file that makes a backup complete: it is written last. */
export const MANIFEST = 'manifest.json';
/** The file that is there first, with the id of the backup that the place is for. */
export const CLAIM = 'begun';
export const FORMAT = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().min(0);
const identifier = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/);
// What is read is named by the manifest, so a name must not lead out of the backup.
const fileName = z.string().regex(/^(?!.*\.\.)[a-z][a-z0-9_.-]*(\/[a-z0-9_.-]+){0,3}$/);

const Part = z.strictObject({ name: fileName, bytes: count, sha256, plainBytes: count, rows: count });
const Table = z.strictObject({
  name: identifier,
  columns: z.array(identifier).min(1),
  rows: count,
  /** Of all rows as COPY writes them. */
  sha256,
  parts: z.array(Part),
});
const Sequence = z.strictObject({
  name: identifier,
  lastValue: z.string().regex(/^\d{1,19}$/),
  isCalled: z.boolean(),
});
const File = z.strictObject({ name: fileName, bytes: count, sha256 });

export const Manifest = z.strictObject({
  kind: z.literal('sallyport-backup'),
  format: z.literal(FORMAT),
  id: z.uuid(),
  /** When the one snapshot was taken that everything of the database is from. */
  at: z.iso.datetime(),
  version: z.string().max(100),
  postgres: z.string().max(100),
  /** Names of the migrations that the database had seen. */
  schema: z.array(z.string().regex(/^\w{1,200}$/)),
  chain: z.strictObject({
    id: z.uuid(),
    events: count,
    head: sha256.nullable(),
    /** Recorded, and not chained yet. */
    waiting: count,
    signedUpTo: count,
  }),
  tables: z.array(Table),
  sequences: z.array(Sequence),
  /** Of the embedded S3 endpoint; null where objects are kept elsewhere. */
  objects: z.array(File).nullable(),
  /** SALLYPORT_KEY and the first credentials; null where they were not asked for. */
  secrets: z.array(File).nullable(),
  /** Which key signed, and that key as the keyring holds it: sealed with SALLYPORT_KEY. */
  signedBy: z.strictObject({ keyId: z.string().max(100), sealed: z.base64() }),
  signature: z.base64(),
});
export type Manifest = z.infer<typeof Manifest>;
export type BackupPart = z.infer<typeof Part>;
export type BackupTable = z.infer<typeof Table>;
export type BackupSequence = z.infer<typeof Sequence>;
export type BackupFile = z.infer<typeof File>;

export const signManifest = (manifest: Omit<Manifest, 'signature'>, key: KeyObject): Manifest => ({
  ...manifest,
  signature: sign(null, textOf(manifest), key).toString('base64'),
});

/** Whether the owner of the key said so. */
export const isManifestOf = ({ signature, ...manifest }: Manifest, key: KeyObject): boolean =>
  verify(null, textOf(manifest), key, Buffer.from(signature, 'base64'));

/** @param where names the backup in errors. @throws ConfigError for what is no manifest, or one of a newer format. */
export function readManifest(text: string, where: string): Manifest {
  const json = parsed(text);
  const { format } = (json ?? {}) as { format?: unknown };
  if (typeof format === 'number' && format > FORMAT)
    throw new ConfigError(
      `${where} was made by a newer Sallyport (format ${format}; this one reads ${FORMAT}). Restore it with that version.`,
    );
  const manifest = Manifest.safeParse(json);
  if (manifest.success) return manifest.data;
  const [issue] = manifest.error.issues;
  throw new ConfigError(
    `${where} is damaged: ${MANIFEST} is not what a backup wrote (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}). Nothing was changed.`,
  );
}

const textOf = (manifest: Omit<Manifest, 'signature'>): Buffer => Buffer.from(canonicalJson(manifest));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema says then what is missing.
    return undefined;
  }
}
