import type { Diagnosis } from '../../ops/doctor/diagnosis.js';
import type { BucketPolicy } from '../../s3/buckets.js';
import { ObjectStorage } from '../../s3/object-storage.js';
import { StorageError } from '../../s3/storage-error.js';
import type { Probe } from '../probes/probe.js';

/** Tries one thing. `without` says what is amiss where the service works all the same without it. */
type Attempt = (what: string, act: () => Promise<unknown>, without?: string) => Promise<boolean>;

type Say = (check: string, status: Diagnosis['status'], fact: string, remedy?: string) => Diagnosis;

/** What S3 said when something was tried, in one sentence. */
export function refusal(error: unknown): string {
  if (!(error instanceof StorageError)) return (error as Error).message;
  const { s3Code, detail, outcome } = error;
  // The answer to a HEAD has no words.
  const silent = outcome === 'gone' ? 'there is no such object or version' : 'S3 says no more';
  return `${s3Code}: ${detail === '' ? silent : detail}`.slice(0, 400);
}

/** What mends a refusal. */
export function remedyFor(error: unknown): string {
  if (!(error instanceof StorageError)) return 'Look at the log of this node.';
  if (error.reason.startsWith('kms')) {
    return 'Allow kms:Decrypt (and kms:GenerateDataKey to write) on the key of the bucket, and enable the key.';
  }
  if (error.permission !== undefined)
    return `Allow ${error.permission}; sallyport connect prints all rights that are needed.`;
  switch (error.outcome) {
    case 'credentials':
      return 'Check the credentials of the endpoint, and the clock of this machine.';
    case 'unreachable':
      return 'Check the address of the endpoint, and the way to it.';
    default:
      return error.reason === 'no_such_bucket'
        ? 'Check the name of the bucket and its endpoint.'
        : 'Look at what S3 said; sallyport connect prints all rights that are needed.';
  }
}

/**
 * Tries on a probe everything that the bucket's policy has the service do with an upload, each by itself: the first
 * refusal does not hide the next.
 */
export async function tryRights(
  storage: ObjectStorage,
  policy: BucketPolicy,
  probe: Probe,
  say: Say,
): Promise<Diagnosis[]> {
  const { object, body } = probe;
  const failed: Diagnosis[] = [];
  const done: string[] = [];
  const attempt: Attempt = async (what, act, without) => {
    try {
      await act();
      done.push(what);
      return true;
    } catch (error) {
      const [status, more] =
        without === undefined ? (['fail', ''] as const) : (['warn', `; ${without}`] as const);
      failed.push(say('permissions', status, `cannot ${what}: ${refusal(error)}${more}`, remedyFor(error)));
      return false;
    }
  };
  await attempt('look at an object', () => storage.head(object));
  await attempt('read an object', async () => {
    const read = await storage.peek(object, body.length);
    if (!read.equals(body)) throw new Error('other bytes came back than were put');
  });
  await attempt('read its tags', () => storage.readTags(object));
  if (policy.actionMode !== 'observe') {
    await attempt('tag it', () => storage.mergeTags(object, { 'sallyport-probe': 'doctor' }));
  }
  await attempt('list the bucket', () =>
    storage.list({ endpointId: object.endpointId, bucket: object.bucket }, { prefix: object.key, limit: 1 }),
  );
  if (object.versionId !== undefined) {
    await attempt('list its versions', () => storage.versionsOf(object));
  }
  if (policy.actionMode === 'quarantine' && policy.quarantineBucket !== undefined) {
    failed.push(...(await tryQuarantine(storage, policy.quarantineBucket, probe, { attempt, say })));
  }
  const ok = done.length === 0 ? [] : [say('permissions', 'ok', `can ${done.join(', ')}`)];
  return [...ok, ...failed];
}

/** There and away again; on the way it is seen whether the two buckets are one under two names. */
async function tryQuarantine(
  storage: ObjectStorage,
  quarantine: string,
  { object, id }: Probe,
  tools: { readonly attempt: Attempt; readonly say: Say },
): Promise<Diagnosis[]> {
  const destination = { bucket: quarantine, key: `${object.key}-copy` };
  let versionId: string | undefined;
  let eTag = '';
  const isCopied = await tools.attempt(`copy it to ${quarantine} and read the copy`, async () => {
    ({ versionId, eTag } = await storage.copyVerified({ source: object, destination }));
  });
  if (!isCopied) return [];
  const copy = { endpointId: object.endpointId, ...destination, versionId, eTag };
  const twin = { endpointId: object.endpointId, bucket: object.bucket, key: destination.key };
  const isAlias = await storage.head(twin).then(
    () => true,
    () => false,
  );
  await tools.attempt(`delete in ${quarantine}`, () => storage.deleteVersion(copy));
  // There, and back when a person releases it.
  await tryParts(storage, { endpointId: object.endpointId, ...destination }, tools.attempt);
  if (!isAlias) await tryParts(storage, twin, tools.attempt);
  if (!isAlias) return [];
  return [
    tools.say(
      'recursion',
      'fail',
      `${quarantine} is this bucket under another name: the probe ${id} appeared in both`,
      'Name a quarantine bucket of its own; every move would start another scan.',
    ),
  ];
}

// S3 copies no more in one request.
const LARGE = 'objects beyond 5 GB are copied in parts, and what a broken copy leaves behind is billed';

/** Begins an upload in parts that gets none, and aborts it again: it makes no object and no event. */
async function tryParts(
  storage: ObjectStorage,
  place: { readonly endpointId: string; readonly bucket: string; readonly key: string },
  attempt: Attempt,
): Promise<void> {
  const { bucket } = place;
  let uploadId: string | undefined;
  const begin = async (): Promise<void> => {
    uploadId = await storage.beginUpload(place);
  };
  await attempt(`begin an upload in parts to ${bucket}`, begin, LARGE);
  if (uploadId === undefined) return;
  const upload = { ...place, uploadId };
  await attempt(`list its parts in ${bucket}`, () => storage.lookAtUpload(upload, 'parts'), LARGE);
  const strays = 'what a killed copy leaves behind is not found again';
  await attempt(
    `list uploads in parts of ${bucket}`,
    () => storage.lookAtUpload(upload, 'uploads of the key'),
    strays,
  );
  const left = `this one, of no bytes, stays below ${place.key} until the bucket's life cycle takes it`;
  await attempt(`abort it in ${bucket}`, () => storage.abortUpload(upload), left);
}
