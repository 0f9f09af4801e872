import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandError } from '../../src/cli/command-error.js';
import { parseBucket, parseObjectUrl, parseS3Url, s3Url } from '../../src/cli/s3-url.js';

const buckets = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/);
const keys = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1024 }),
  fc.string({ unit: fc.constantFrom(...Array.from('?#%+ /.\\:@&=\n\té😀')), minLength: 1 }),
);

describe('s3://bucket/key', () => {
  test('gives back every key as it was written', () => {
    fc.assert(
      fc.property(buckets, keys, (bucket, key) => {
        expect(parseObjectUrl(s3Url(bucket, key))).toEqual({ bucket, key });
      }),
    );
  });

  test.each([
    ['s3://b/a?versionId=1#top', 'a?versionId=1#top'],
    ['s3://b/100%25.txt', '100%25.txt'],
    ['s3://b/a+b c', 'a+b c'],
    ['s3://b//leading', '/leading'],
    ['s3://b/../b2/x', '../b2/x'],
    ['s3://b/./a/', './a/'],
    ['s3://b/ ', ' '],
    ['s3://b/s3://b/x', 's3://b/x'],
    ['S3://b/x', 'x'],
  ])('%j has the key %j', (text, key) => {
    expect(parseS3Url(text)).toEqual({ bucket: 'b', key });
  });

  test('without a key names a bucket', () => {
    expect(parseS3Url('s3://uploads')).toEqual({ bucket: 'uploads', key: undefined });
    expect(parseS3Url('s3://uploads/')).toEqual({ bucket: 'uploads', key: undefined });
    expect(parseBucket('s3://uploads/')).toBe('uploads');
    expect(parseBucket('uploads')).toBe('uploads');
  });

  test.each([
    '',
    's3:',
    's3://',
    's3:///key',
    'http://b/key',
    'b/key',
    's3://b c/key',
    's3://b?x/key',
    ' s3://b/k',
  ])('%j is refused with a remedy', (text) => {
    expect(() => parseS3Url(text)).toThrow(CommandError);
    expect(() => parseS3Url(text)).toThrow(/s3:\/\/bucket\/key/);
  });

  test('is refused where the other one is meant', () => {
    expect(() => parseObjectUrl('s3://b/')).toThrow('names a bucket and no object');
    expect(() => parseBucket('Bad_Name!')).toThrow('"Bad_Name!" is no name of a bucket: 3 to 255 letters');
    expect(() => parseBucket('s3://b/k')).toThrow('Name the bucket: s3://b');
  });
});
