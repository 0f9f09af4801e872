import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { ConfiguredBuckets } from '../../src/s3/buckets.js';
import { asStorageError, StorageError } from '../../src/s3/storage-error.js';

const bucketsOf = (environment: Record<string, string>) => new ConfiguredBuckets(readConfig(environment));

describe('the registered buckets', () => {
  it('of a first start: uploads, moved to quarantine', () => {
    expect(bucketsOf({}).list()).toEqual([
      {
        endpointId: 'embedded',
        bucket: 'uploads',
        actionMode: 'quarantine',
        required: ['secrets', 'malware'],
        quarantineBucket: 'quarantine',
        versioned: true,
      },
    ]);
  });

  it('of somebody’s S3: tagged unless asked for more, each once', () => {
    const buckets = bucketsOf({ S3_BUCKETS: 'a, b,a' });
    expect(buckets.list()).toMatchObject([
      { endpointId: 's3', bucket: 'a', actionMode: 'tag' },
      { endpointId: 's3', bucket: 'b', actionMode: 'tag' },
    ]);
    expect(buckets.byName('b')).toBe(buckets.find('s3', 'b'));
    expect(buckets.find('embedded', 'a')).toBeUndefined();
    expect(buckets.byName('uploads')).toBeUndefined();
  });

  it('a quarantine bucket is never scanned', () => {
    expect(() => bucketsOf({ EMBEDDED_S3: 'on', QUARANTINE_BUCKET: 'uploads' })).toThrow(/QUARANTINE_BUCKET/);
    expect(() => bucketsOf({ S3_BUCKETS: 'a,q', QUARANTINE_BUCKET: 'q' })).toThrow(/QUARANTINE_BUCKET/);
    expect(() => bucketsOf({ S3_BUCKETS: 'a', ACTION_MODE: 'quarantine' })).toThrow(/QUARANTINE_BUCKET/);
  });
});

it.each([
  [{ name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } }, 'gone'],
  [{ name: 'NotFound', $metadata: { httpStatusCode: 404 } }, 'gone'],
  [{ name: 'NoSuchVersion', $metadata: { httpStatusCode: 404 } }, 'gone'],
  [{ name: 'MethodNotAllowed', $metadata: { httpStatusCode: 405 } }, 'gone'],
  [{ name: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } }, 'other'],
  [{ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }, 'denied'],
  [{ name: '403', $metadata: { httpStatusCode: 403 } }, 'denied'],
  [{ name: 'KMS.DisabledException', $metadata: { httpStatusCode: 400 } }, 'denied'],
  [{ name: 'KMS.ThrottlingException', $metadata: { httpStatusCode: 400 } }, 'throttled'],
  [
    {
      name: 'InvalidRequest',
      message: 'The object was stored using server side encryption',
      $metadata: { httpStatusCode: 400 },
    },
    'denied',
  ],
  [{ name: 'InvalidObjectState', $metadata: { httpStatusCode: 403 } }, 'archived'],
  [{ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } }, 'superseded'],
  [{ name: 'SlowDown', $metadata: { httpStatusCode: 503 } }, 'throttled'],
  [{ name: 'InternalError', $metadata: { httpStatusCode: 500 } }, 'throttled'],
  [{ name: 'PermanentRedirect', $metadata: { httpStatusCode: 301 } }, 'other'],
  [{ name: 'TimeoutError' }, 'unreachable'],
  [{ name: 'Error', code: 'ECONNREFUSED' }, 'unreachable'],
  [{ name: 'Error', code: 'EWHATEVER' }, 'other'],
])('S3’s %j is told in the ledger’s words', (fields, outcome) => {
  const error = asStorageError(Object.assign(new Error('of S3'), fields));
  expect(error).toBeInstanceOf(StorageError);
  expect((error as StorageError).outcome).toBe(outcome);
});
