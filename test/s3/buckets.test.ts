import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { ConfiguredBuckets } from '../../src/s3/buckets.js';

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
