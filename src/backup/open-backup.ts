import type { KeyObject } from 'node:crypto';
import { unseal } from '../access/keyring.js';
import { publicKeyOf, readPublicKey, signingKeyOf } from '../audit/chain/checkpoint.js';
import { ConfigError } from '../errors.js';
import { CLAIM, isManifestOf, MANIFEST, readManifest, type BackupFile, type Manifest } from './manifest.js';
import { isClaimOf, MOST_MANIFEST_BYTES, type BackupPlace } from './place.js';
import { sha256Of } from './write-tables.js';

/** The manifest of a backup that was finished. @throws ConfigError for what is none. */
export async function findManifest(place: BackupPlace): Promise<Manifest> {
  const bytes = await place.read(MANIFEST, MOST_MANIFEST_BYTES);
  if (bytes !== undefined && bytes.length <= MOST_MANIFEST_BYTES)
    return readManifest(bytes.toString('utf8'), place.name);
  if (bytes === undefined && (await place.isUsed()))
    throw new ConfigError(
      `${place.name} is no complete backup: it has no ${MANIFEST}, which is written last. It was cut short, or it is something else.`,
    );
  throw new ConfigError(
    bytes === undefined
      ? `${place.name} holds nothing. Check the name.`
      : `${place.name} is damaged: ${MANIFEST} is too long to be one. Nothing was changed.`,
  );
}

/**
 * Makes sure that whoever had SALLYPORT_KEY wrote the manifest: the key that signed is in it, and opens with that alone.
 *
 * @throws ConfigError for another SALLYPORT_KEY, and for a manifest that was changed.
 */
export function checkSignature(manifest: Manifest, masterKey: Buffer, place: BackupPlace): void {
  if (isManifestOf(manifest, publicKeyIn(manifest, masterKey, place))) return;
  throw new ConfigError(
    `${place.name} was changed after it was made: the signature does not fit its ${MANIFEST}. Nothing was changed here.`,
  );
}

function publicKeyIn({ signedBy }: Manifest, masterKey: Buffer, place: BackupPlace): KeyObject {
  try {
    const seed = unseal(Buffer.from(signedBy.sealed, 'base64'), masterKey, signedBy.keyId);
    return readPublicKey(publicKeyOf(signingKeyOf(seed)));
  } catch (error) {
    throw new ConfigError(
      `SALLYPORT_KEY: ${place.name} was made with another one, without which nothing sealed in it can be read (stored credentials, sign-in, links, fingerprints). ` +
        'Set the key of the service that it was made of: SALLYPORT_KEY, or the content of its sallyport.key.',
      { cause: error },
    );
  }
}

/** A file of the backup, which is what it was when it was written. @throws ConfigError otherwise. */
export async function readFileOf(
  place: BackupPlace,
  { name, bytes, sha256 }: Pick<BackupFile, 'name' | 'bytes' | 'sha256'>,
): Promise<Buffer> {
  const found = await place.read(name, bytes);
  const problem =
    found === undefined
      ? 'is missing'
      : found.length !== bytes
        ? `is ${found.length < bytes ? 'cut short' : 'longer than it was'}`
        : sha256Of(found) === sha256
          ? undefined
          : 'was changed';
  if (found !== undefined && problem === undefined) return found;
  throw new ConfigError(`${place.name} is damaged: ${name} ${problem ?? ''}. Take another backup.`);
}

/** Reads every file once, so that nothing is changed for a backup that is not whole. */
export async function checkFiles(
  place: BackupPlace,
  manifest: Manifest,
  onFile?: (done: number, all: number) => void,
): Promise<void> {
  const { id, tables, objects, secrets } = manifest;
  if (!(await isClaimOf(place, id)))
    throw new ConfigError(
      `${place.name} is damaged: its ${CLAIM} does not name it, so another backup may have written over its files. Take another backup.`,
    );
  const files = [...tables.flatMap(({ parts }) => parts), ...(objects ?? []), ...(secrets ?? [])];
  for (const [done, file] of files.entries()) {
    onFile?.(done, files.length);
    await readFileOf(place, file);
  }
}
