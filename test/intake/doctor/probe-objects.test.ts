import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScanRequests } from '../../../src/intake/scan-requests.service.js';
import { Probes } from '../../../src/intake/probes/probe.js';
import { readProbe } from '../../../src/intake/probes/probe-rows.js';
import { tryRights } from '../../../src/intake/doctor/trials.js';
import type { Diagnosis } from '../../../src/ops/doctor/diagnosis.js';
import type { BucketPolicy } from '../../../src/s3/buckets.js';
import { asStorageError } from '../../../src/s3/explain-error.js';
import { ObjectStorage } from '../../../src/s3/object-storage.js';
import { startTestS3, type TestS3 } from '../../s3/endpoint.js';
import { intakeParts, type IntakeParts } from '../intake-parts.js';

let s3: TestS3;
let parts: IntakeParts;
let probes: Probes;
beforeAll(async () => {
  s3 = await startTestS3();
  parts = await intakeParts();
  const { database, clock, buckets, rules, bell } = parts;
  const requests = new ScanRequests(database, clock, buckets, s3.storage, rules, bell);
  probes = new Probes(s3.storage, requests, database, clock);
});
afterAll(() => s3.close());

const place = (bucket: string) => ({ endpointId: 'embedded', bucket });
const scansOf = async (key: string) => {
  const rows = await parts.database.query<{ version_id: string | null }>(
    `SELECT version_id FROM object_version WHERE key = $1`,
    [key],
  );
  return rows.map(({ version_id }) => version_id);
};
const keysIn = async (bucket: string) => {
  const { items } = await s3.storage.list(place(bucket), { prefix: '.sallyport/' });
  return items.map(({ key }) => key);
};

const uploadsIn = async (bucket: string) => {
  const { Uploads = [] } = await s3.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return Uploads.map(({ Key }) => Key);
};

/** The same storage, where S3 refuses one call. */
function refusing(method: 'abortUpload', operation: string): ObjectStorage {
  const storage = new ObjectStorage(s3.endpoints);
  const refused = Object.assign(new Error('Access Denied'), {
    name: 'AccessDenied',
    $metadata: { httpStatusCode: 403 },
  });
  storage[method] = () => Promise.reject(asStorageError(refused, { operation, ofVersion: false }));
  return storage;
}

describe('a probe object', () => {
  it.each(['uploads', 'plain'])('in %s is removed again, and nothing of it is scanned', async (bucket) => {
    const probe = await probes.put(place(bucket));
    expect(await keysIn(bucket)).toEqual([probe.object.key]);
    await probes.remove(probe);
    expect(await keysIn(bucket)).toEqual([]);
    expect(await s3.storage.versionsOf(probe.object)).toEqual([]);
    expect(await scansOf(probe.object.key)).toEqual([]);
  });

  it('that somebody replaced is removed alone: what stands in its place is scanned', async () => {
    const versioned = await probes.put(place('uploads'));
    const theirs = await s3.put(versioned.object.key, 'malware in its place');
    await probes.remove(versioned);
    expect(await scansOf(versioned.object.key)).toEqual([theirs.versionId]);

    const plain = await probes.put(place('plain'));
    await s3.put(plain.object.key, 'malware in its place', 'plain');
    await probes.remove(plain);
    expect(await keysIn('plain')).toEqual([plain.object.key]);
    expect(await scansOf(plain.object.key)).toHaveLength(1);
  });

  it('that was left behind by a crash is removed by the next examination', async () => {
    const left = await probes.put(place('uploads'));
    await probes.tidy(place('uploads'));
    expect(await s3.storage.versionsOf(left.object)).toHaveLength(1);
    parts.clock.advance(16 * 60_000);
    await probes.tidy(place('uploads'));
    expect(await s3.storage.versionsOf(left.object)).toEqual([]);
    parts.clock.advance(2 * 86_400_000);
    await probes.tidy(place('uploads'));
    expect(await readProbe(parts.database, left.id)).toBeUndefined();
  });
});

describe('trying rights on a probe', () => {
  const say = (check: string, status: Diagnosis['status'], fact: string, remedy?: string): Diagnosis => ({
    check,
    subject: 'x',
    status,
    fact,
    ...(remedy !== undefined && { remedy }),
  });
  const policy: BucketPolicy = {
    ...place('uploads'),
    actionMode: 'quarantine',
    required: ['secrets'],
    quarantineBucket: 'quarantine',
  };

  it('does what the mode asks for and leaves nothing in quarantine', async () => {
    const probe = await probes.put(place('uploads'));
    const found = await tryRights(s3.storage, policy, probe, say);
    expect(found).toMatchObject([{ check: 'permissions', status: 'ok' }]);
    expect(found[0]?.fact).toContain('copy it to quarantine');
    for (const bucket of ['uploads', 'quarantine']) expect(found[0]?.fact).toContain(`abort it in ${bucket}`);
    expect(found[0]?.fact).toContain('list its versions');
    expect(await keysIn('quarantine')).toEqual([]);
    for (const bucket of ['uploads', 'quarantine']) expect(await uploadsIn(bucket)).toEqual([]);
    const observed = await tryRights(s3.storage, { ...policy, actionMode: 'observe' }, probe, say);
    expect(observed[0]?.fact).not.toContain('tag it');
    expect(observed[0]?.fact).not.toContain('in parts');
    await probes.remove(probe);
  });

  it('names each thing that is refused, and goes on', async () => {
    const probe = await probes.put(place('uploads'));
    const found = await tryRights(s3.storage, { ...policy, quarantineBucket: 'nowhere' }, probe, say);
    expect(found.map(({ status }) => status)).toEqual(['ok', 'fail']);
    expect(found[1]).toMatchObject({
      fact: expect.stringContaining('cannot copy it to nowhere') as string,
      remedy: 'Check the name of the bucket and its endpoint.',
    });
    await probes.remove(probe);
  });

  it('warns of what only copies in parts need, with the right and what stays behind', async () => {
    const probe = await probes.put(place('uploads'));
    const storage = refusing('abortUpload', 'AbortMultipartUpload');
    const found = await tryRights(storage, policy, probe, say);
    expect(found.map(({ status }) => status)).toEqual(['ok', 'warn', 'warn']);
    expect(found[1]).toMatchObject({
      fact: expect.stringMatching(
        /cannot abort it in quarantine: AccessDenied.*stays below .*life cycle/,
      ) as string,
      remedy: expect.stringContaining('Allow s3:AbortMultipartUpload') as string,
    });
    await probes.remove(probe);
  });

  it('sees that the quarantine is the same bucket under another name', async () => {
    const probe = await probes.put(place('uploads'));
    const found = await tryRights(s3.storage, { ...policy, quarantineBucket: 'uploads' }, probe, say);
    expect(found).toContainEqual(expect.objectContaining({ check: 'recursion', status: 'fail' }));
    await probes.remove(probe);
  });
});
