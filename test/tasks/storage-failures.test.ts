import { createHash } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { RetryLater } from '../../src/engine/ports.js';
import { StorageError } from '../../src/s3/storage-error.js';
import { gapOf } from '../../src/tasks/storage-failure.js';
import { refusal, type Liar, type Lie, type SeenRequest } from '../support/lying-s3.js';
import { IDLE_MS, LATE, lyingStage, type ScanOptions } from './lying-stage.js';

const { s3, stage, scanned, close } = await lyingStage();
afterAll(() => close());

beforeEach(() => {
  s3.object = { body: Buffer.from('honest bytes'), eTag: 'e1', versionId: 'v1' };
  s3.tags = {};
  s3.lie(() => undefined);
  stage.ledger.verdicts.length = 0;
});

const always =
  (lie: Lie): Liar =>
  () =>
    lie;
const onGet =
  (lie: Lie): Liar =>
  ({ method, query }) =>
    method === 'GET' && query.size <= 2 ? lie : undefined;
const onRead =
  (lie: (request: SeenRequest) => Lie): Liar =>
  (request) =>
    request.method === 'GET' && request.headers.range === undefined ? lie(request) : undefined;
const denied = (message = 'Access Denied') => refusal(403, 'AccessDenied', message);
const lacking = (right: string) =>
  denied(`User: arn:aws:iam::1:user/x is not authorized to perform: ${right} on resource: "r"`);
const archived =
  (headers: Record<string, string>): Liar =>
  (request) =>
    request.method === 'HEAD'
      ? {
          status: 200,
          headers: { etag: '"e1"', 'last-modified': 'Mon, 23 Nov 2026 11:00:00 GMT', ...headers },
          body: 'honest bytes',
        }
      : undefined;
const PAGE = '<!doctype html><html><body>Sign in to the guest network</body></html>';
const html: Lie = { status: 200, headers: { 'content-type': 'text/html' }, body: PAGE };

describe('what S3 says ends in a verdict with a stable reason', () => {
  it('as the honest server it is scanned', async () => {
    expect(await scanned()).toMatchObject({ verdict: 'incomplete', reason: 'malware_engine_missing' });
  });

  const V = { versionId: 'v1' };
  const table: readonly [string, Liar, string, string, ScanOptions?, RegExp?][] = [
    // Row 1: overwritten.
    // Row 3: deleted.
    ['404', always(refusal(404, 'NoSuchKey')), 'gone', 'object_gone'],
    ['404 of a version', always(refusal(404, 'NoSuchVersion')), 'gone', 'version_gone', V],
    [
      '405 of a delete marker',
      always({ ...refusal(405, 'MethodNotAllowed'), headers: { 'x-amz-delete-marker': 'true' } }),
      'gone',
      'delete_marker',
      V,
    ],
    [
      '404 of a current delete marker',
      always({ ...refusal(404, 'NoSuchKey'), headers: { 'x-amz-delete-marker': 'true' } }),
      'gone',
      'delete_marker',
    ],
    [
      'a version id of another world',
      always(refusal(400, 'InvalidArgument', 'Invalid version id specified')),
      'gone',
      'version_gone',
      V,
    ],
    // Row 4: 403, and which right.
    [
      '403 that names s3:GetObject',
      always(lacking('s3:GetObject')),
      'denied',
      'denied_get_object',
      {},
      /Missing: s3:GetObject\..*s3:ListBucket/,
    ],
    [
      '403 that names s3:GetObjectVersion',
      always(lacking('s3:GetObjectVersion')),
      'denied',
      'denied_get_object_version',
      V,
    ],
    [
      '403 that names nothing, of a version',
      always(denied()),
      'denied',
      'denied_get_object_version',
      V,
      /needs s3:GetObjectVersion/,
    ],
    [
      '403 that names nothing, without a version',
      always(denied()),
      'denied',
      'denied_get_object',
      {},
      /keys that do not exist/,
    ],
    ['403 that names s3:ListBucket', always(lacking('s3:ListBucket')), 'denied', 'denied_list_bucket'],
    [
      '403 that is a page',
      always({ status: 403, headers: { 'content-type': 'text/html' }, body: PAGE }),
      'denied',
      'denied_get_object',
    ],
    // Row 5: KMS and SSE-C.
    ['403 that names kms:Decrypt', always(lacking('kms:Decrypt')), 'denied', 'denied_kms_decrypt'],
    ['403 of KMS alone', always(refusal(400, 'KMS.AccessDeniedException')), 'denied', 'denied_kms_decrypt'],
    ['a disabled KMS key', always(refusal(400, 'KMS.DisabledException')), 'denied', 'kms_key_disabled'],
    [
      'a KMS key that is about to go',
      always(refusal(400, 'KMS.KMSInvalidStateException')),
      'denied',
      'kms_key_unusable',
    ],
    ['a KMS key that is gone', always(refusal(400, 'KMS.NotFoundException')), 'denied', 'kms_key_not_found'],
    [
      'SSE-C',
      always(
        refusal(
          400,
          'InvalidRequest',
          'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
        ),
      ),
      'denied',
      'sse_c_key_needed',
    ],
    // Row 6: archived.
    ['GLACIER', archived({ 'x-amz-storage-class': 'GLACIER' }), 'archived', 'storage_class_archived'],
    [
      'DEEP_ARCHIVE',
      archived({ 'x-amz-storage-class': 'DEEP_ARCHIVE' }),
      'archived',
      'storage_class_archived',
    ],
    [
      'the archive tier of Intelligent-Tiering',
      archived({
        'x-amz-storage-class': 'INTELLIGENT_TIERING',
        'x-amz-archive-status': 'DEEP_ARCHIVE_ACCESS',
      }),
      'archived',
      'storage_class_archived',
    ],
    [
      'a restore under way',
      archived({ 'x-amz-storage-class': 'GLACIER', 'x-amz-restore': 'ongoing-request="true"' }),
      'archived',
      'restore_in_progress',
    ],
    [
      'a class that only GET knows to be archived',
      onGet(
        refusal(
          403,
          'InvalidObjectState',
          'The operation is not valid for the object’s storage class',
          '<StorageClass>GLACIER</StorageClass>',
        ),
      ),
      'archived',
      'storage_class_archived',
    ],
    [
      'a restored copy',
      archived({
        'x-amz-storage-class': 'GLACIER',
        'x-amz-restore': 'ongoing-request="false", expiry-date="Fri, 27 Nov 2026 00:00:00 GMT"',
      }),
      'incomplete',
      'malware_engine_missing',
    ],
    ['GLACIER_IR', archived({ 'x-amz-storage-class': 'GLACIER_IR' }), 'incomplete', 'malware_engine_missing'],
    // Row 21: regions and who pays.
    [
      '301 with the region',
      always(
        refusal(
          301,
          'PermanentRedirect',
          'The bucket must be addressed otherwise',
          '<Endpoint>evil.example</Endpoint>',
          { 'x-amz-bucket-region': 'eu-west-1', location: 'http://169.254.169.254/latest' },
        ),
      ),
      'failed',
      'region_mismatch',
      {},
      /eu-west-1/,
    ],
    [
      '400 with the region',
      always(
        refusal(
          400,
          'AuthorizationHeaderMalformed',
          "the region 'us-east-1' is wrong",
          '<Region>ap-south-1</Region>',
        ),
      ),
      'failed',
      'region_mismatch',
      {},
      /ap-south-1/,
    ],
    [
      '301 to somewhere',
      always({ status: 301, headers: { location: 'http://169.254.169.254/latest' } }),
      'failed',
      'redirected',
    ],
    [
      '307 to somewhere',
      always({ status: 307, headers: { location: 'http://169.254.169.254/latest' } }),
      'failed',
      'redirected',
    ],
    [
      'who pays',
      always(denied('The bucket is Requester Pays: x-amz-request-payer is missing')),
      'denied',
      'requester_pays',
    ],
    ['a bucket that is not there', always(refusal(404, 'NoSuchBucket')), 'failed', 'no_such_bucket'],
    ['501', always(refusal(501, 'NotImplemented')), 'failed', 'not_supported'],
    // Lies.
    ['a page with 200 for everything', always(html), 'failed', 'bad_answer'],
    ['a page with 200 for the GET', onGet(html), 'failed', 'bad_answer'],
    ['another object for the GET', onGet({ headers: { etag: '"e2"' } }), 'failed', 'bad_answer'],
    [
      'another version for the GET',
      onGet({ headers: { etag: '"e1"', 'x-amz-version-id': 'v2' } }),
      'failed',
      'bad_answer',
      V,
    ],
    [
      'an error text without end',
      always({ status: 403, body: `<Error><Code>AccessDenied</Code><Message>${'x'.repeat(2 ** 20)}` }),
      'failed',
      'bad_answer',
    ],
    [
      'entities that grow in an error text',
      always({
        status: 403,
        body: `<!DOCTYPE a [<!ENTITY a0 "boom">${Array.from({ length: 40 }, (_, i) => `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`).join('')}]><Error><Code>AccessDenied</Code><Message>&a40;</Message></Error>`,
      }),
      'denied',
      'denied_get_object',
    ],
    [
      'an external entity in an error text',
      always({
        status: 403,
        body: '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Error><Code>AccessDenied</Code><Message>&x;</Message></Error>',
      }),
      'denied',
      'denied_get_object',
    ],
  ];
  it.each(table)('%s', async (_name, liar, verdict, reason, options = {}, detail = /./) => {
    s3.lie(liar);
    const end = await scanned(options);
    expect(end).toMatchObject({ verdict, reason });
    if (verdict === 'denied') expect(end).toHaveProperty('detail', expect.stringMatching(detail));
    expect(JSON.stringify(end)).not.toContain('root:');
    // Nobody was asked but this server, which the bucket's endpoint names.
    expect(s3.seen.every(({ path }) => path === '/uploads/k')).toBe(true);
  });

  // A small object is read whole at its inspection; a large one later, when all may have changed.
  const underWay: readonly [string, Liar, string, string][] = [
    [
      '412 of the GET',
      onRead(() => refusal(412, 'PreconditionFailed')),
      'superseded',
      'overwritten_during_scan',
    ],
    ['404', onRead(() => refusal(404, 'NoSuchKey')), 'gone', 'object_gone_during_scan'],
    ['403', onRead(() => denied()), 'denied', 'access_denied_during_scan'],
    ['a body without a length', onRead(() => ({ contentLength: false })), 'failed', 'unreadable_during_scan'],
    [
      'a GET longer than its HEAD',
      onRead(() => ({ body: Buffer.alloc(600_001) })),
      'failed',
      'unreadable_during_scan',
    ],
    [
      'a GET shorter than its HEAD',
      onRead(() => ({ body: Buffer.alloc(5) })),
      'failed',
      'unreadable_during_scan',
    ],
  ];
  it.each(underWay)('in the middle of a large object: %s', async (_name, liar, verdict, reason) => {
    s3.object = { ...s3.object, body: Buffer.alloc(600_000, 'honest ') };
    s3.lie(liar);
    expect(await scanned()).toMatchObject({ verdict, reason });
  });
});

describe('what is busy or broken is waited for and is never a verdict', () => {
  const table: readonly [string, Liar][] = [
    ['503 SlowDown', always(refusal(503, 'SlowDown', 'Please reduce your request rate.'))],
    ['429', always(refusal(429, 'TooManyRequests'))],
    ['503 of a load balancer', always({ status: 503, headers: { 'content-type': 'text/html' }, body: PAGE })],
    ['500 InternalError', always(refusal(500, 'InternalError'))],
    ['KMS throttling', always(refusal(400, 'KMS.ThrottlingException'))],
    ['an access key that nobody knows', always(refusal(403, 'InvalidAccessKeyId'))],
    ['a wrong secret key', always(refusal(403, 'SignatureDoesNotMatch'))],
    ['an expired session', always(refusal(400, 'ExpiredToken'))],
    ['a clock that is wrong', always(refusal(403, 'RequestTimeTooSkewed'))],
    ['a cut answer', onGet({ cutAfter: 0 })],
    ['a body that ends early, again and again', onGet({ cutAfter: 1 })],
    ['a body that falls silent, again and again', onGet({ stallAfter: 1 })],
  ];
  it.each(table)('%s', async (_name, liar) => {
    s3.lie(liar);
    const end = await scanned();
    expect(end).toHaveProperty('retry');
    expect(stage.ledger.verdicts).toEqual([]);
  });

  it('waits longer each time, as long as S3 asks, and five minutes at most', () => {
    const waitOf = (pollCount: number, retryAfterSeconds?: number) => {
      const busy = new StorageError('throttled', 'SlowDown', '', { retryAfterSeconds });
      try {
        gapOf(busy, { pollCount });
      } catch (error) {
        return (error as RetryLater).afterSeconds;
      }
      throw new Error('it was no wait');
    };
    for (const [pollCount, longest] of [
      [1, 15],
      [2, 30],
      [3, 60],
      [10, 300],
      [1000, 300],
    ] as const) {
      const wait = waitOf(pollCount);
      expect(wait).toBeLessThanOrEqual(longest);
      expect(wait).toBeGreaterThanOrEqual(longest / 2);
    }
    expect(waitOf(1, 120)).toBe(120);
  });

  it('a server’s wish to be left alone is kept, and does not hold up the call', async () => {
    s3.lie(always(refusal(503, 'SlowDown', 'x', '', { 'retry-after': '200' })));
    const { scanId } = stage.ledger.admit({ endpointId: 'embedded', bucket: 'uploads', key: 'k' });
    const error = await stage.run('inspect_object', { scanId }).catch((told: unknown) => told);
    expect(error).toMatchObject({ afterSeconds: 200 });
  });

  it('an object that only breaks, for two hours, fails; a busy S3 is waited for without end', async () => {
    s3.lie(always(refusal(500, 'InternalError')));
    expect(await scanned({ pollCount: 30 })).toMatchObject({ verdict: 'failed', reason: 'server_error' });
    s3.lie(always(refusal(503, 'SlowDown')));
    expect(await scanned({ pollCount: 100_000 })).toHaveProperty('retry');
  });

  it('what an operator may still mend is looked at three times', async () => {
    s3.lie(always(lacking('s3:GetObject')));
    expect(await scanned({ pollCount: 1 })).toHaveProperty('retry', expect.stringContaining('s3:GetObject'));
    expect(await scanned({ pollCount: 2 })).toHaveProperty('retry');
    expect(await scanned({ pollCount: 3 })).toMatchObject({ verdict: 'denied' });
  });
});

describe('a body that breaks off', () => {
  it.each<[string, Lie]>([
    ['a cut connection', { cutAfter: 100_000 }],
    ['a silent one', { stallAfter: 100_000 }],
  ])('%s is taken up where it broke, pinned', async (_name, lie) => {
    s3.object = { ...s3.object, body: Buffer.alloc(600_000, 'honest ') };
    s3.lie(onRead(() => lie));
    expect(await scanned()).toMatchObject({ verdict: 'incomplete', reason: 'malware_engine_missing' });
    const resumed = s3.seen.filter(({ headers }) => /^bytes=[1-9]/.test(headers.range ?? ''));
    expect(resumed).toHaveLength(1);
    expect(resumed[0]!.headers).toMatchObject({ 'if-match': '"e1"' });
    const { record } = stage.ledger.verdicts.at(-1)!;
    expect(record.bytesScanned).toBe(600_000);
    expect(record.sha256).toBe(createHash('sha256').update(s3.object.body).digest('hex'));
  });

  it('is not taken up by a server that does not serve ranges, or serves another one', async () => {
    s3.object = { ...s3.object, body: Buffer.alloc(600_000, 'honest ') };
    s3.lie((request) => {
      if (request.method !== 'GET' || request.headers.range?.startsWith('bytes=0-') === true)
        return undefined;
      return request.headers.range === undefined
        ? { cutAfter: 100_000 }
        : { headers: { etag: '"e1"', 'content-range': 'bytes 5-599999/600000' } };
    });
    expect(await scanned()).toMatchObject({ verdict: 'failed', reason: 'unreadable_during_scan' });
  });

  it('may be slow, as long as it is not silent', async () => {
    s3.object = { ...s3.object, body: Buffer.alloc(2_000, 'honest ') };
    s3.lie(onGet({ trickleMs: IDLE_MS / 2 }));
    expect(await scanned()).toMatchObject({ verdict: 'incomplete', reason: 'malware_engine_missing' });
  });
});

describe('tags on an S3 that lies', () => {
  const tag = async (liar: Liar) => {
    const { scanId } = stage.ledger.admit({
      endpointId: 'embedded',
      bucket: 'uploads',
      key: 'k',
      versionId: 'v1',
    });
    s3.lie(liar);
    return stage.output('tag_object', { scanId, verdict: 'clean' }, { pollCount: LATE });
  };
  const onTags =
    (method: string, lie: Lie): Liar =>
    (request) =>
      request.method === method && request.query.has('tagging') ? lie : undefined;

  it('a page instead of tags is not taken for no tags: nothing is written', async () => {
    s3.tags = { owner: 'alice' };
    expect(await tag(onTags('GET', html))).toMatchObject({
      tagged: false,
      note: expect.stringContaining('bad_answer'),
    });
    expect(s3.tags).toEqual({ owner: 'alice' });
  });

  it.each([
    ['GET', 'denied_get_object_version_tagging'],
    ['PUT', 'denied_put_object_version_tagging'],
  ])('a refused %s is a note that names the right', async (method, reason) => {
    const output = await tag(onTags(method, denied()));
    expect(output).toMatchObject({ tagged: false });
    expect(String(output['note'])).toContain(reason);
  });

  it('user tags that S3 does not take again are a note', async () => {
    const output = await tag(onTags('PUT', refusal(400, 'InvalidTag', 'The TagValue is invalid')));
    expect(String(output['note'])).toContain('tag_refused');
  });
});
