import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../src/intake/normalise.js';
import { decodeFormKey, keyProblem } from '../../src/intake/object-key.js';
import type { S3Event } from '../../src/intake/s3-event.js';
import { awsMessage, awsRecord } from './intake-parts.js';

const aws = {
  Records: [
    {
      eventVersion: '2.6',
      eventSource: 'aws:s3',
      awsRegion: 'us-west-2',
      eventTime: '1970-01-01T00:00:00.000Z',
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: 'AIDAEXAMPLE' },
      requestParameters: { sourceIPAddress: '127.0.0.1' },
      responseElements: { 'x-amz-request-id': 'r', 'x-amz-id-2': 'h' },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: 'cfg',
        bucket: { name: 'b', ownerIdentity: { principalId: 'P' }, arn: 'arn:aws:s3:::b' },
        object: {
          key: 'red+flower.jpg',
          size: 1024,
          eTag: 'd41d8cd98f00b204e9800998ecf8427e',
          versionId: '096fKKXTRTtl3on89fVO.nfljtsv6qko',
          sequencer: '0055AED6DCD90281E5',
        },
      },
    },
  ],
};

const minio = {
  EventName: 's3:ObjectCreated:Put',
  Key: 'b/dir/raw key.txt',
  Records: [
    {
      eventVersion: '2.0',
      eventSource: 'minio:s3',
      awsRegion: '',
      eventTime: '2026-11-23T10:00:00.000Z',
      eventName: 's3:ObjectCreated:Put',
      userIdentity: { principalId: 'minio' },
      s3: {
        s3SchemaVersion: '1.0',
        bucket: { name: 'b', ownerIdentity: { principalId: 'minio' }, arn: 'arn:aws:s3:::b' },
        object: {
          key: 'dir%2Fraw+key.txt',
          size: 3,
          eTag: 'acbd18db4cc2f85cedef654fccc4a4d8',
          contentType: 'text/plain',
          userMetadata: { 'content-type': 'text/plain' },
          sequencer: '17C5D2A0B1E2F3A4',
        },
      },
      source: { host: '127.0.0.1', port: '', userAgent: 'MinIO' },
    },
  ],
};

const versitygw = {
  Records: [
    {
      eventVersion: '2.2',
      eventSource: 'aws:s3',
      awsRegion: 'us-east-1',
      eventTime: '2026-11-23T10:00:00Z',
      eventName: 's3:ObjectCreated:CompleteMultipartUpload',
      userIdentity: { PrincipalId: 'root' },
      s3: {
        s3SchemaVersion: '1.0',
        bucket: { name: 'b', arn: 'arn:aws:s3:::b/dir/x' },
        object: { key: 'dir/x', size: 5, eTag: '"abc-2"', versionId: '', sequencer: 'F' },
      },
    },
  ],
};

/** As versitygw 1.8.0 sends it for a PUT into a bucket with versions. */
const versitygwPut = (key: string) => ({
  Records: [
    {
      eventVersion: '2.2',
      eventSource: 'aws:s3',
      awsRegion: 'us-east-1',
      eventTime: '2026-11-23T10:00:00Z',
      eventName: 's3:ObjectCreated:Put',
      userIdentity: { PrincipalId: 'root' },
      requestParameters: { sourceIPAddress: '127.0.0.1:50000' },
      responseElements: { 'x-amz-request-id': '', 'x-amz-id-2': '' },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: 'webhook-global',
        bucket: { name: 'b', ownerIdentity: { PrincipalId: 'root' }, arn: `arn:aws:s3:::b/${key}` },
        object: {
          key,
          size: 5,
          eTag: '"5d41402abc4b2a76b9719d911017c592"',
          versionId: null,
          sequencer: '1A',
        },
      },
      glacierEventData: {
        restoreEventData: { lifecycleRestorationExpiryTime: '', lifecycleRestoreStorageClass: '' },
      },
    },
  ],
});

const bridge = {
  version: '0',
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': 'Object Created',
  source: 'aws.s3',
  account: '111122223333',
  time: '2021-11-12T00:00:00Z',
  region: 'ca-central-1',
  resources: ['arn:aws:s3:::b'],
  detail: {
    version: '0',
    bucket: { name: 'b' },
    object: {
      key: 'a+b%20c.txt',
      size: 5,
      etag: 'b1946ac92492d2347c6235b4d2611184',
      'version-id': 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e',
      sequencer: '00617F08299329D189',
    },
    'request-id': 'N4N7GDK58NMKJ12R',
    requester: '123456789012',
    'source-ip-address': '1.2.3.4',
    reason: 'PutObject',
  },
};

const sns = (inner: unknown) => ({
  Type: 'Notification',
  MessageId: 'm',
  TopicArn: 'arn:aws:sns:us-east-1:111122223333:t',
  Subject: 'Amazon S3 Notification',
  Message: typeof inner === 'string' ? inner : JSON.stringify(inner),
  Timestamp: '2026-11-23T10:00:00.000Z',
});

const only = (body: unknown): S3Event => {
  const read = normalise(body);
  expect(read.rejects).toEqual([]);
  expect(read.events).toHaveLength(1);
  const [event] = read.events;
  if (event === undefined) throw new Error('no event');
  return event;
};

describe('the shapes that sources send', () => {
  const table: readonly [string, unknown, Partial<S3Event>][] = [
    [
      'AWS',
      aws,
      {
        kind: 'created',
        eventName: 'ObjectCreated:Put',
        sourceKind: 'aws',
        bucket: 'b',
        key: 'red flower.jpg',
        keyIsRaw: false,
        versionId: '096fKKXTRTtl3on89fVO.nfljtsv6qko',
        eTag: 'd41d8cd98f00b204e9800998ecf8427e',
        sizeBytes: 1024,
        sequencer: '0055AED6DCD90281E5',
        eventTime: 0,
      },
    ],
    [
      'MinIO',
      minio,
      { sourceKind: 'minio', eventName: 'ObjectCreated:Put', key: 'dir/raw key.txt', versionId: undefined },
    ],
    [
      'versitygw',
      versitygw,
      {
        sourceKind: 'versitygw',
        eventName: 'ObjectCreated:CompleteMultipartUpload',
        key: 'dir/x',
        eTag: 'abc-2',
        versionId: undefined,
        sequencer: 'F',
      },
    ],
    ...['a b.txt', '100%.txt', 'a+b.txt', 'a%20b.txt', '%2e%2e/x', 'caf\u00e9 \u{1f600}.txt'].map(
      (key): [string, object, object] => [
        `versitygw’s raw key ${key}`,
        versitygwPut(key),
        {
          sourceKind: 'versitygw',
          key,
          keyIsRaw: false,
          versionId: undefined,
          eTag: '5d41402abc4b2a76b9719d911017c592',
        },
      ],
    ),
    [
      'EventBridge, whose keys are not encoded',
      bridge,
      {
        kind: 'created',
        sourceKind: 'eventbridge',
        key: 'a+b%20c.txt',
        eTag: 'b1946ac92492d2347c6235b4d2611184',
        versionId: 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e',
        sizeBytes: 5,
      },
    ],
    ['SNS around AWS', sns(aws), { sourceKind: 'aws', key: 'red flower.jpg' }],
    ['SNS around EventBridge', sns(bridge), { sourceKind: 'eventbridge', key: 'a+b%20c.txt' }],
    [
      'a job list',
      { objects: [{ bucket: 'b', key: 'a+b.txt', version: 'v1' }] },
      { sourceKind: 'job', kind: 'created', key: 'a+b.txt', versionId: 'v1' },
    ],
  ];
  it.each(table)('%s', (_, body, expected) => {
    expect(only(body)).toMatchObject(expected);
  });

  it('answers set-up probes, bare and wrapped', () => {
    const probe = {
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: '2026-11-23T10:00:00.000Z',
      Bucket: 'b',
      RequestId: 'r',
      HostId: 'h',
    };
    for (const body of [probe, sns(probe), { ...probe, Service: 'S3', Bucket: 'Test-Bucket' }]) {
      expect(normalise(body)).toMatchObject({ isTest: true, events: [], rejects: [] });
    }
  });

  it('takes every record of a message, and tells the wrong ones apart', () => {
    const read = normalise({
      Records: [awsRecord({ key: 'one' }), { eventName: 'ObjectCreated:Put' }, awsRecord({ key: 'three' })],
    });
    expect(read.events.map((event) => event.key)).toEqual(['one', 'three']);
    expect(read.rejects).toMatchObject([{ reason: 'invalid_event', path: 'Records[1].s3' }]);
  });

  it.each([
    ['ObjectCreated:Copy', 'created'],
    ['s3:ObjectCreated:Post', 'created'],
    ['ObjectRestore:Completed', 'restored'],
    ['ObjectRemoved:Delete', 'deleted'],
    ['s3:ObjectRemoved:DeleteObjects', 'deleted'],
    ['LifecycleExpiration:Delete', 'deleted'],
    ['ObjectRemoved:DeleteMarkerCreated', 'marker'],
    ['LifecycleExpiration:DeleteMarkerCreated', 'marker'],
  ])('knows %s as %s', (eventName, kind) => {
    expect(only({ Records: [awsRecord({ eventName })] }).kind).toBe(kind);
  });

  it.each([
    'ObjectTagging:Put',
    's3:ObjectAcl:Put',
    'ObjectRestore:Post',
    's3:ObjectAccessed:Get',
    'LifecycleTransition',
  ])('has no use for %s', (eventName) => {
    expect(normalise({ Records: [awsRecord({ eventName })] })).toMatchObject({
      events: [],
      rejects: [],
      ignored: 1,
    });
  });

  it('takes deletes without size and eTag', () => {
    expect(only(awsMessage({ eventName: 'ObjectRemoved:Delete' }))).toMatchObject({
      sizeBytes: undefined,
      eTag: undefined,
    });
    const detail = { bucket: { name: 'b' }, object: { key: 'k' }, 'deletion-type': 'Delete Marker Created' };
    expect(only({ 'detail-type': 'Object Deleted', source: 'aws.s3', detail }).kind).toBe('marker');
    expect(
      only({
        'detail-type': 'Object Deleted',
        source: 'aws.s3',
        detail: { ...detail, 'deletion-type': 'Permanently Deleted' },
      }).kind,
    ).toBe('deleted');
  });

  it('does not trust a sequencer that is a number', () => {
    const record = awsRecord({});
    const s3 = { ...record.s3, object: { key: 'k', sequencer: 1_700_000_000_000 } };
    expect(only({ Records: [{ ...record, eventSource: 's3rver:s3', s3 }] }).sourceKind).toBe('other');
  });

  const wrong: readonly [string, unknown, string, string][] = [
    ['nothing', null, 'unknown_shape', 'body'],
    ['text', 'hello', 'unknown_shape', 'body'],
    ['a list', [], 'unknown_shape', 'body'],
    ['an empty object', {}, 'unknown_shape', 'body'],
    ['Records that are none', { Records: 7 }, 'invalid_event', 'Records'],
    ['no record', { Records: [] }, 'invalid_event', 'Records'],
    [
      'too many records',
      { Records: Array.from({ length: 1001 }, () => awsRecord({})) },
      'invalid_event',
      'Records',
    ],
    ['a null record', { Records: [null] }, 'invalid_event', 'Records[0]'],
    [
      'version 3',
      { Records: [{ ...awsRecord({}), eventVersion: '3.0' }] },
      'invalid_event',
      'Records[0].eventVersion',
    ],
    [
      'another service',
      { Records: [{ ...awsRecord({}), eventSource: 'aws:sqs' }] },
      'not_s3',
      'Records[0].eventSource',
    ],
    [
      'an unheard-of event',
      { Records: [awsRecord({ eventName: 'Foo:Bar' })] },
      'unknown_event',
      'Records[0].eventName',
    ],
    ['an empty key', { Records: [awsRecord({ key: '' })] }, 'invalid_key', 'Records[0].s3.object.key'],
    [
      'NUL in a key',
      { Records: [awsRecord({ key: 'a\u0000b' })] },
      'invalid_key',
      'Records[0].s3.object.key',
    ],
    [
      'a key beyond 1,024 bytes',
      { Records: [awsRecord({ key: 'é'.repeat(513) })] },
      'invalid_key',
      'Records[0].s3.object.key',
    ],
    ['a negative size', { Records: [awsRecord({ size: -1 })] }, 'invalid_event', 'Records[0].s3.object.size'],
    ['another EventBridge source', { ...bridge, source: 'aws.ec2' }, 'not_s3', 'source'],
    ['an EventBridge event without detail', { ...bridge, detail: 1 }, 'invalid_event', 'detail'],
    [
      'SNS that wants to be confirmed',
      { ...sns(aws), Type: 'SubscriptionConfirmation' },
      'sns_not_notification',
      'Type',
    ],
    ['SNS with text', sns('hello'), 'unknown_shape', 'Message'],
    ['SNS wrapped for ever', sns(sns(sns(sns(aws)))), 'unknown_shape', 'Message'],
    ['a job without objects', { objects: {} }, 'invalid_event', 'objects'],
    ['a job without key', { objects: [{ bucket: 'b' }] }, 'invalid_event', 'objects[0].key'],
  ];
  it.each(wrong)('rejects %s, and says where', (_, body, reason, path) => {
    const read = normalise(body);
    expect(read.events).toEqual([]);
    expect(read.rejects[0]).toMatchObject({ reason, path });
  });
});

describe('keys', () => {
  it.each([
    ['red+flower.jpg', 'red flower.jpg', false],
    ['a%2Bb', 'a+b', false],
    ['dir%2Fx', 'dir/x', false],
    ['%C3%A9', 'é', false],
    ['100%.txt', '100%.txt', true],
    ['%zz+x', '%zz+x', true],
    ['%FF', '%FF', true],
    ['', '', false],
  ])('%s decodes to %s', (encoded, key, isRaw) => {
    expect(decodeFormKey(encoded)).toEqual({ key, isRaw });
  });

  it('survive the encoding of every source, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (key) => {
        fc.pre(key.isWellFormed());
        const encoded = encodeURIComponent(key).replaceAll('%20', '+');
        expect(decodeFormKey(encoded)).toEqual({ key, isRaw: false });
      }),
    );
  });

  it('are never decoded with an exception', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void decodeFormKey(text)));
  });

  it('that cannot be stored are told', () => {
    expect(keyProblem('\ud800')).toMatch('surrogates');
    expect(keyProblem('x'.repeat(1024))).toBeUndefined();
    expect(keyProblem('x'.repeat(1025))).toMatch('1024');
  });
});

describe('hostile messages', () => {
  it('never make it throw, and always leave a trace', () => {
    const leaf = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('', 's3:TestEvent', 'ObjectCreated:Put', 'aws.s3', 'Notification'),
    );
    const field = fc.constantFrom(
      ...'Records Event detail-type source detail Type Message TopicArn objects s3 bucket'.split(' '),
      ...'object key name eventName eventVersion size eTag sequencer __proto__ constructor'.split(' '),
    );
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(field, tie('node')),
      ),
    })).node;
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), tree, fc.dictionary(field, tree)), (body) => {
        const read = normalise(body);
        expect(read.events.length + read.rejects.length + read.ignored + Number(read.isTest)).toBeGreaterThan(
          0,
        );
        for (const event of read.events) expect(keyProblem(event.key)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('that break a good record in one place never throw', () => {
    const paths = ['eventVersion', 'eventSource', 'eventName', 'eventTime', 'userIdentity', 's3'];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        normalise({ Records: [{ ...awsRecord({}), [path]: value }] });
      }),
    );
  });
});
