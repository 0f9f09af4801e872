import fc from 'fast-check';
import { S3Client, GetObjectTaggingCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limitAnswers } from '../../src/s3/answer-limits.js';
import { asStorageError } from '../../src/s3/explain-error.js';
import { StorageError } from '../../src/s3/storage-error.js';
import { LyingS3, refusal } from '../support/lying-s3.js';

const asked = { operation: 'GetObject', ofVersion: false };
const explain = (fields: object, of = asked) =>
  asStorageError(Object.assign(new Error('of S3'), fields), of) as StorageError;
const answer = (name: string, httpStatusCode: number) => ({ name, $metadata: { httpStatusCode } });

describe('an error of the SDK, in the ledger’s words', () => {
  it.each([
    [answer('NoSuchKey', 404), 'gone'],
    [answer('NotFound', 404), 'gone'],
    [answer('NoSuchVersion', 404), 'gone'],
    [answer('MethodNotAllowed', 405), 'gone'],
    [answer('NoSuchBucket', 404), 'other'],
    [answer('AccessDenied', 403), 'denied'],
    [answer('Unknown', 403), 'denied'],
    [answer('KMS.DisabledException', 400), 'denied'],
    [answer('KMS.ThrottlingException', 400), 'throttled'],
    [
      { ...answer('InvalidRequest', 400), message: 'stored using a form of Server Side Encryption' },
      'denied',
    ],
    [answer('InvalidRequest', 400), 'other'],
    [answer('InvalidObjectState', 403), 'archived'],
    [answer('PreconditionFailed', 412), 'superseded'],
    [answer('SlowDown', 503), 'throttled'],
    [answer('InternalError', 500), 'throttled'],
    [answer('PermanentRedirect', 301), 'other'],
    [answer('ExpiredToken', 400), 'credentials'],
    [{ name: 'TimeoutError' }, 'unreachable'],
    [{ name: 'Error', code: 'ECONNREFUSED' }, 'unreachable'],
    [{ name: 'Error', code: 'HPE_INVALID_CONSTANT' }, 'unreachable'],
    [{ name: 'CredentialsProviderError' }, 'credentials'],
    [{ name: 'Error', code: 'EWHATEVER' }, 'other'],
  ])('%j', (fields, outcome) => {
    expect(explain(fields).outcome).toBe(outcome);
  });

  it.each([
    ['GetObject', false, 's3:GetObject', 'denied_get_object'],
    ['HeadObject', true, 's3:GetObjectVersion', 'denied_get_object_version'],
    ['GetObjectTagging', false, 's3:GetObjectTagging', 'denied_get_object_tagging'],
    ['GetObjectTagging', true, 's3:GetObjectVersionTagging', 'denied_get_object_version_tagging'],
    ['PutObjectTagging', false, 's3:PutObjectTagging', 'denied_put_object_tagging'],
    ['PutObjectTagging', true, 's3:PutObjectVersionTagging', 'denied_put_object_version_tagging'],
    ['DeleteObject', true, 's3:DeleteObjectVersion', 'denied_delete_object_version'],
    ['CopyObject', false, 's3:PutObject', 'denied_put_object'],
    ['ListObjectVersions', false, 's3:ListBucketVersions', 'denied_list_bucket_versions'],
  ])('a bare 403 of %s (of a version: %s) needs %s', (operation, ofVersion, permission, reason) => {
    const error = explain(answer('AccessDenied', 403), { operation, ofVersion });
    expect(error).toMatchObject({ permission, reason });
  });

  it('a bucket that is not there is named as what is missing, though a HEAD has no words for it', () => {
    const error = explain(
      { ...answer('NotFound', 404), message: 'UnknownError' },
      { operation: 'HeadBucket', ofVersion: false },
    );
    expect(error).toMatchObject({
      outcome: 'other',
      reason: 'no_such_bucket',
      detail: 'There is no bucket of this name. Check the bucket name and S3_ENDPOINT.',
    });
  });

  it.each(['The specified bucket does not exist', 'The specified bucket does not exist.'])(
    '"%s" is a sentence before the next begins',
    (message) => {
      expect(explain({ ...answer('NoSuchBucket', 404), message }).detail).toBe(
        'The specified bucket does not exist. Check the bucket name and S3_ENDPOINT.',
      );
    },
  );

  it('S3’s own word for the right goes before our guess', () => {
    const fields = {
      ...answer('AccessDenied', 403),
      message: 'not authorized to perform: kms:GenerateDataKey',
    };
    expect(explain(fields, { operation: 'CopyObject', ofVersion: false })).toMatchObject({
      permission: 'kms:GenerateDataKey',
      reason: 'denied_kms_generate_data_key',
    });
  });

  it.each([
    ['Access Denied because object protected by object lock.', 'object_locked'],
    ['Mfa Authentication must be used for this request', 'mfa_delete_required'],
  ])('a delete that is refused with "%s" says why', (message, reason) => {
    const error = explain(
      { ...answer('AccessDenied', 403), message },
      { operation: 'DeleteObject', ofVersion: true },
    );
    expect(error.reason).toBe(reason);
  });

  it('whatever the server writes, the reason is a short code of ours and the detail is bounded', () => {
    fc.assert(
      fc.property(
        fc.record({
          name: fc.oneof(fc.string(), fc.constantFrom('AccessDenied', 'Error', 'Unknown')),
          message: fc.string({ maxLength: 5000 }),
          Code: fc.option(fc.string(), { nil: undefined }),
          Region: fc.option(fc.string(), { nil: undefined }),
          code: fc.option(fc.string(), { nil: undefined }),
          $metadata: fc.record({
            httpStatusCode: fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
          }),
        }),
        (fields) => {
          const error = explain(fields);
          if (fields.name === 'AbortError') return;
          expect(error.reason).toMatch(/^[a-z][a-z0-9_]{2,60}$/);
          expect(error.detail.length).toBeLessThan(1000);
        },
      ),
    );
  });
});

describe('an answer that is read whole', () => {
  let s3: LyingS3;
  let client: S3Client;
  beforeAll(async () => {
    s3 = await LyingS3.start();
    const credentials = { accessKeyId: 'KEY', secretAccessKey: 'secret' };
    client = new S3Client({
      endpoint: s3.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
      maxAttempts: 1,
    });
    limitAnswers(client, { withinMs: 200, errorBytes: 1000, bodyBytes: 2000 });
  });
  afterAll(async () => {
    client.destroy();
    await s3.close();
  });
  const tags = () =>
    client
      .send(new GetObjectTaggingCommand({ Bucket: 'b', Key: 'k' }))
      .catch((error: unknown) => asStorageError(error, asked));

  it('may not be silent for ever', async () => {
    s3.lie(() => ({ ...refusal(403, 'AccessDenied'), stallAfter: 5 }));
    expect(await tags()).toMatchObject({ outcome: 'unreachable', s3Code: 'AnswerTooSlow' });
  });

  it('may not be larger than its bound', async () => {
    s3.lie(() => refusal(403, 'AccessDenied', 'x'.repeat(2000)));
    expect(await tags()).toMatchObject({ outcome: 'other', reason: 'bad_answer' });
    s3.lie(() => ({ status: 200, body: `<Tagging><TagSet>${' '.repeat(5000)}</TagSet></Tagging>` }));
    expect(await tags()).toMatchObject({ outcome: 'other', reason: 'bad_answer' });
  });
});
