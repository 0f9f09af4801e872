import type { Diagnosis } from '../../ops/doctor/diagnosis.js';
import type { BucketPolicy } from '../../s3/buckets.js';
import { ObjectStorage } from '../../s3/object-storage.js';
import { StorageError } from '../../s3/storage-error.js';
import type { Probe } from '../probes/probe.js';

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
  const attempt = async (what: string, act: () => Promise<unknown>): Promise<boolean> => {
    try {
      await act();
      done.push(what);
      return true;
    } catch (error) {
      failed.push(say('permissions', 'fail', `cannot ${what}: ${refusal(error)}`, remedyFor(error)));
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
  tools: {
    readonly attempt: (what: string, act: () => Promise<unknown>) => Promise<boolean>;
    readonly say: Say;
  },
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
