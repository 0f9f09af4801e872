import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Resolve } from '../../../src/outbound/egress/egress.js';
import { isSamePlace, loopOf, type ServerNames, type Source } from '../../../src/s3/registry/loops.js';
import { serversOf } from '../../../src/s3/registry/servers.js';

const names: Record<string, string[]> = {
  'minio.example.org': ['203.0.113.7'],
  'alias.example.net': ['203.0.113.7', '203.0.113.8'],
  'other.example.org': ['203.0.113.9'],
  localhost: ['127.0.0.1', '::1'],
};
const resolve: Resolve = async (hostname) => {
  const addresses = names[hostname];
  if (addresses === undefined) throw new Error(`${hostname} is unknown`);
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
};
const areOne = async (a: string | undefined, b: string | undefined, regions = ['us-east-1', 'eu-west-1']) => {
  const [one, other] = await Promise.all([
    serversOf({ url: a, region: regions[0] ?? '' }, resolve),
    serversOf({ url: b, region: regions[1] ?? '' }, resolve),
  ]);
  return isSamePlace(
    { endpointId: 'a', bucket: 'x' },
    { endpointId: 'b', bucket: 'x' },
    new Map([
      ['a', one],
      ['b', other],
    ]),
  );
};

describe('one server is known by every way to write it', () => {
  test.each([
    ['https://minio.example.org', 'https://MINIO.example.org'],
    ['https://minio.example.org', 'https://minio.example.org.'],
    ['https://minio.example.org', 'https://minio.example.org:443'],
    ['https://minio.example.org', 'http://minio.example.org:80/'],
    ['https://minio.example.org:9000', 'https://alias.example.net:9000'],
    ['https://minio.example.org:9000', 'https://203.0.113.7:9000'],
    ['http://localhost:9000', 'http://127.0.0.1:9000'],
    ['http://localhost:9000', 'http://[::1]:9000'],
    ['http://127.0.0.1:9000', 'http://127.8.9.10:9000'],
    ['http://127.0.0.1:9000', 'http://[::ffff:127.0.0.1]:9000'],
    ['http://127.0.0.1:9000', 'http://0.0.0.0:9000'],
    ['http://unknown.example.org:9000', 'http://UNKNOWN.example.org:9000'],
    [undefined, 'https://s3.eu-west-1.amazonaws.com'],
    [
      'https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com',
      'https://s3.dualstack.eu-west-1.amazonaws.com',
    ],
    [undefined, undefined],
  ])('%s and %s', async (a, b) => {
    expect(await areOne(a, b)).toBe(true);
  });

  test.each([
    ['https://minio.example.org:9000', 'https://minio.example.org:9001'],
    ['https://minio.example.org', 'https://other.example.org'],
    ['https://minio.example.org', undefined],
    ['https://evil-amazonaws.com', undefined],
  ])('%s and %s are two', async (a, b) => {
    expect(await areOne(a, b)).toBe(false);
  });

  test('AWS in China is another AWS', async () => {
    expect(await areOne(undefined, undefined, ['cn-north-1', 'us-east-1'])).toBe(false);
    expect(await areOne(undefined, 'https://s3.cn-north-1.amazonaws.com.cn', ['cn-northwest-1', ''])).toBe(
      true,
    );
  });
});

describe('a source is refused', () => {
  const servers: ServerNames = new Map([
    ['here', new Set(['this machine 9000'])],
    ['again', new Set(['localhost 9000', 'this machine 9000'])],
    ['far', new Set(['far.example.org web'])],
  ]);
  const on = (endpointId: string, bucket: string, quarantineBucket?: string): Source => ({
    endpointId,
    bucket,
    quarantineBucket,
  });
  const refusal = (source: Source, ...others: Source[]) => loopOf(source, others, [], servers);

  test('as a bucket that is scanned already by another address', () => {
    expect(refusal(on('again', 'in'), on('here', 'in'))).toMatchObject({ field: 'bucket' });
    expect(refusal(on('far', 'in'), on('here', 'in'))).toBeUndefined();
  });

  test('as the quarantine of another, and with a quarantine that is scanned', () => {
    expect(refusal(on('again', 'held'), on('here', 'in', 'held'))).toMatchObject({ field: 'bucket' });
    expect(refusal(on('again', 'other', 'in'), on('here', 'in'))).toMatchObject({
      field: 'quarantineBucket',
    });
    expect(refusal(on('here', 'in', 'in'))).toMatchObject({ field: 'quarantineBucket' });
    expect(refusal(on('here', 'in', 'held'), on('here', 'more', 'held'))).toBeUndefined();
  });

  test('when the service keeps the bucket for itself', () => {
    const payloads = [{ endpointId: 'here', bucket: 'values', use: 'large values' }];
    expect(loopOf(on('again', 'values'), [], payloads, servers)?.message).toMatch(/large values/);
    expect(loopOf(on('again', 'in', 'values'), [], payloads, servers)).toMatchObject({
      field: 'quarantineBucket',
    });
  });

  test('whichever of the two was there first', () => {
    const source = fc.record({
      endpointId: fc.constantFrom('here', 'again', 'far'),
      bucket: fc.constantFrom('a', 'b', 'c'),
      quarantineBucket: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    });
    fc.assert(
      fc.property(source, source, (one, other) => {
        fc.pre(one.endpointId !== other.endpointId || one.bucket !== other.bucket);
        const alone = loopOf(one, [], [], servers) ?? loopOf(other, [], [], servers);
        fc.pre(alone === undefined);
        expect(loopOf(one, [other], [], servers) === undefined).toBe(
          loopOf(other, [one], [], servers) === undefined,
        );
      }),
    );
  });
});
