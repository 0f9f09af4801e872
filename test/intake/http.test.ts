import * as fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectHead } from '../../src/s3/object-storage.js';
import { StorageError } from '../../src/s3/storage-error.js';
import { coverage } from '../../src/verdicts/verdicts.queries.js';
import { awsMessage, intakeParts } from './intake-parts.js';
import { headOf, httpApp, TOKEN } from './http-app.js';

const parts = await intakeParts();
let head: () => Promise<ObjectHead> = () => Promise.resolve(headOf());
const { server, lines } = await httpApp(parts, { head: () => head() });
const { test, clock, database } = parts;

beforeEach(async () => {
  head = () => Promise.resolve(headOf());
  await test.truncate();
});

const post = async (url: string, payload: InjectOptions['payload'], headers: Record<string, string> = {}) => {
  const answer = await server.inject({
    method: 'POST',
    url,
    headers: { host: 'localhost', 'content-type': 'application/json', ...headers },
    ...(payload !== undefined && { payload }),
  });
  return { status: answer.statusCode, body: JSON.parse(answer.body || 'null') as Record<string, unknown> };
};
const bearer = { authorization: `Bearer ${TOKEN}` };
const rows = async (table: string) => (await test.query(`SELECT * FROM ${table}`)).length;

describe('POST /events/s3', () => {
  it.each([
    ['a bearer token', '/events/s3', bearer],
    ['a bearer token in lower case', '/events/s3', { authorization: `bearer ${TOKEN}` }],
    ['MinIO’s bare token', '/events/s3', { authorization: TOKEN }],
    ['the token in the path', `/events/s3/${TOKEN}`, {}],
  ])('takes %s', async (_, url, headers) => {
    const answer = await post(url, awsMessage({ versionId: 'v' }), headers);
    expect(answer).toEqual({ status: 200, body: { accepted: 1, duplicates: 0, ignored: 0, rejected: 0 } });
  });

  it.each([
    ['nothing', '/events/s3', {}],
    ['another token', '/events/s3', { authorization: `Bearer ${TOKEN}x` }],
    ['half of it', '/events/s3', { authorization: `Bearer ${TOKEN.slice(0, 8)}` }],
    ['an empty one', '/events/s3', { authorization: 'Bearer ' }],
    ['another path', '/events/s3/nonsense', {}],
    ['the right header with a wrong path', '/events/s3/nonsense', bearer],
  ])('refuses %s', async (_, url, headers) => {
    const answer = await post(url, awsMessage({ versionId: 'v' }), headers);
    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
    expect(await rows('intake_event')).toBe(0);
  });

  it('never logs the token', async () => {
    await post(`/events/s3/${TOKEN}`, awsMessage({ bucket: 'elsewhere' }));
    await post('/events/s3', awsMessage({ bucket: 'elsewhere' }), bearer);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes(TOKEN))).toEqual([]);
  });

  it.each(['/%65vents/s3/', 'http://localhost/events/s3/'])(
    'never logs the token, however the path is written: %s',
    async (prefix) => {
      await post(`${prefix}${TOKEN}`, awsMessage({ bucket: 'elsewhere' }));
      expect(lines.filter((line) => line.includes(TOKEN))).toEqual([]);
    },
  );

  it.each(['application/json', 'text/plain'])('refuses what is nested too deeply: %s', async (type) => {
    const deep = `{"Records":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    const headers = { ...bearer, 'content-type': type };
    const wrapped = JSON.stringify({ Type: 'Notification', TopicArn: 't', Message: deep });
    expect(await post('/events/s3', deep, headers)).toMatchObject({ status: 400 });
    expect(await post('/events/s3', wrapped, headers)).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'Message' }] },
    });
  });

  it('refuses bytes that are not UTF-8: the key would be another one', async () => {
    const text = JSON.stringify(awsMessage({ key: 'KEY' })).replace('KEY', 'caf\u00e9');
    const message = Buffer.from(text, 'latin1');
    expect(await post('/events/s3', message, bearer)).toMatchObject({ status: 400 });
    expect(await rows('intake_event')).toBe(0);
  });

  it.each(['application/json', 'application/cloudevents+json', 'text/plain'])(
    'keeps what is no JSON, said to be %s, and refuses it',
    async (type) => {
      const headers = { ...bearer, 'content-type': type };
      for (const raw of ['{', 'no \u0000 JSON']) {
        expect(await post('/events/s3', raw, headers)).toMatchObject({
          status: 400,
          body: {
            errors: [{ path: 'body', message: expect.stringMatching(/^not valid JSON: /) as unknown }],
          },
        });
      }
      await post('/events/s3', '{', headers);
      expect(
        await test.query('SELECT reason, raw, deliveries FROM intake_reject ORDER BY length(raw)'),
      ).toMatchObject([
        { reason: 'not_json', raw: '{', deliveries: 2 },
        { reason: 'not_json', deliveries: 1 },
      ]);
    },
  );

  it('keeps nothing of what comes without a token, or for SNS without a signature', async () => {
    expect(await post('/events/s3', '{')).toMatchObject({ status: 401 });
    expect(await post('/events/s3/nonsense', '{')).toMatchObject({ status: 401 });
    expect(await post('/events/sns', '{')).toMatchObject({ status: 400 });
    expect(await rows('intake_reject')).toBe(0);
  });

  it.each([
    ['"str"', 'a string'],
    ['7', 'a number'],
    ['null', 'null'],
    ['[]', 'a list'],
    ['', 'empty'],
  ])('says what %s is, in place of an object', async (raw, kind) => {
    const message = `must be a JSON object, not ${kind}`;
    expect(await post('/events/s3', raw, bearer)).toMatchObject({
      status: 400,
      body: { errors: [{ message }] },
    });
    expect(await test.query('SELECT reason, message FROM intake_reject')).toMatchObject([
      { reason: 'unknown_shape', message },
    ]);
  });

  it('takes what SNS calls plain text', async () => {
    const sns = {
      Type: 'Notification',
      TopicArn: 't',
      Message: JSON.stringify(awsMessage({ versionId: 'v' })),
    };
    const answer = await post('/events/s3', JSON.stringify(sns), { ...bearer, 'content-type': 'text/plain' });
    expect(answer).toMatchObject({ status: 200, body: { accepted: 1 } });
  });

  it('answers a set-up probe', async () => {
    const answer = await post('/events/s3', { Service: 'Amazon S3', Event: 's3:TestEvent' }, bearer);
    expect(answer).toMatchObject({ status: 200, body: { accepted: 0, rejected: 0 } });
  });

  it('names the place of what cannot be used', async () => {
    expect(await post('/events/s3', { Records: [{ eventName: 'ObjectCreated:Put' }] }, bearer)).toMatchObject(
      {
        status: 400,
        body: { code: 'INVALID_INPUT', errors: [{ path: 'Records[0].s3' }] },
      },
    );
    expect(await post('/events/s3', 'nonsense', { ...bearer, 'content-type': 'text/plain' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'body' }] },
    });
    expect(await rows('intake_reject')).toBe(2);
    expect((await post('/events/s3', '{', bearer)).status).toBe(400);
    expect((await post('/events/s3', undefined, bearer)).status).toBe(400);
  });

  it('refuses more than a megabyte', async () => {
    const answer = await post('/events/s3', { Records: [], padding: 'x'.repeat(1_048_576) }, bearer);
    expect(answer).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
  });

  it('gives no 500, whatever is sent', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.json(), fc.string({ unit: 'binary' })),
        fc.boolean(),
        async (payload, isText) => {
          const type = { 'content-type': isText ? 'text/plain' : 'application/json' };
          const { status } = await post('/events/s3', payload, { ...bearer, ...type });
          expect([200, 400]).toContain(status);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('POST /api/v1/scans', () => {
  it('opens a new generation each time', async () => {
    head = () => Promise.resolve(headOf({ versionId: 'v7' }));
    const first = await post('/api/v1/scans', { bucket: 'uploads', key: 'k' });
    const second = await post('/api/v1/scans', { bucket: 'uploads', key: 'k', versionId: 'v7' });
    expect(first).toMatchObject({ status: 202 });
    expect(second.body['objectId']).toBe(first.body['objectId']);
    expect(second.body['scanId']).not.toBe(first.body['scanId']);
    expect(
      await test.query('SELECT generation, origin, requested_by, workflow_id FROM scan ORDER BY generation'),
    ).toEqual([
      { generation: 1, origin: 'request', requested_by: 'user:alice', workflow_id: first.body['workflowId'] },
      {
        generation: 2,
        origin: 'request',
        requested_by: 'user:alice',
        workflow_id: second.body['workflowId'],
      },
    ]);
    expect(await test.query('SELECT version_id, origin FROM object_version')).toEqual([
      { version_id: 'v7', origin: 'request' },
    ]);
    expect(await test.query('SELECT DISTINCT action, actor FROM audit_event')).toEqual([
      { action: 'scan.requested', actor: 'user:alice' },
    ]);
  });

  it('joins the row that an event opened, and the event the row that it opened', async () => {
    head = () => Promise.resolve(headOf({ versionId: 'v1' }));
    await post('/events/s3', awsMessage({ key: 'k', versionId: 'v1' }), bearer);
    await post('/api/v1/scans', { bucket: 'uploads', key: 'k' });
    head = () => Promise.resolve(headOf({ versionId: 'v2' }));
    await post('/api/v1/scans', { bucket: 'uploads', key: 'k' });
    await post('/events/s3', awsMessage({ key: 'k', versionId: 'v2' }), bearer);
    expect(await rows('object_version')).toBe(2);
    expect(await rows('scan')).toBe(3);
    const counted = await coverage(database, clock.now(), clock.now() + 1);
    expect(counted).toMatchObject({
      uploaded: 2,
      copies: { opened: 0, accountedFor: 0 },
      folded: 0,
      verdicts: { pending: 2 },
    });
  });

  it('of an older version does not make it the latest', async () => {
    await post('/events/s3', awsMessage({ key: 'k', versionId: 'v2', sequencer: 'B' }), bearer);
    head = () => Promise.resolve(headOf({ versionId: 'v1' }));
    await post('/api/v1/scans', { bucket: 'uploads', key: 'k', versionId: 'v1' });
    expect(await test.query('SELECT version_id, is_latest FROM object_version ORDER BY version_id')).toEqual([
      { version_id: 'v1', is_latest: false },
      { version_id: 'v2', is_latest: true },
    ]);
  });

  it('takes an unversioned object as it is now', async () => {
    const first = await post('/api/v1/scans', { bucket: 'plain', key: 'k' });
    head = () => Promise.resolve(headOf({ eTag: 'other' }));
    const second = await post('/api/v1/scans', { bucket: 'plain', key: 'k' });
    expect(second.body['objectId']).not.toBe(first.body['objectId']);
  });

  it.each([
    ['no body', undefined, 'body'],
    ['no key', { bucket: 'uploads' }, 'key'],
    ['an empty key', { bucket: 'uploads', key: '' }, 'key'],
    ['a number', { bucket: 7, key: 'k' }, 'bucket'],
    ['a key that is too long', { bucket: 'uploads', key: 'x'.repeat(1025) }, 'key'],
    ['an unknown field', { bucket: 'uploads', key: 'k', versionID: 'v' }, 'body'],
    ['a bucket that nobody registered', { bucket: 'elsewhere', key: 'k' }, 'bucket'],
  ])('refuses %s', async (_, body, path) => {
    expect(await post('/api/v1/scans', body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  it.each([
    ['gone', 404],
    ['denied', 409],
    ['unreachable', 503],
    ['throttled', 503],
    ['other', 409],
  ] as const)('tells when S3 says %s', async (outcome, status) => {
    head = () => Promise.reject(new StorageError(outcome, 'Code', 'detail'));
    expect((await post('/api/v1/scans', { bucket: 'uploads', key: 'k' })).status).toBe(status);
    expect(await rows('scan')).toBe(0);
  });

  it('says where the object is that was moved to quarantine', async () => {
    head = () => Promise.reject(new StorageError('gone', 'NotFound', 'status 404'));
    const move = (key: string, state: string) =>
      test.query(
        `INSERT INTO quarantined_object (scan_id, endpoint_id, bucket, key, version_id, etag, quarantine_bucket,
           quarantine_key, size_bytes, state, created_at, updated_at)
         VALUES ($1, 'embedded', 'uploads', $1, 'v1', 'e', 'kept', 'x/' || $1, 1, $2, 1, 1)`,
        [key, state],
      );
    await move('moved', 'moved');
    await move('back', 'released');
    const detail = async (key: string, versionId?: string) =>
      (await post('/api/v1/scans', { bucket: 'uploads', key, versionId })).body['detail'];
    const isKept = /is in quarantine: s3:\/\/kept\/x\/moved\./;
    expect(await detail('moved')).toMatch(isKept);
    expect(await detail('moved', 'v1')).toMatch(isKept);
    for (const nowhere of [await detail('moved', 'v2'), await detail('back')]) {
      expect(nowhere).toBe('There is no such object in uploads. Check the key and the version.');
    }
  });

  it('names a version id that S3 does not take', async () => {
    head = () => Promise.reject(new StorageError('other', 'BadRequest', 'status 400'));
    expect(await post('/api/v1/scans', { bucket: 'uploads', key: 'k', versionId: 'x' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'versionId' }] },
    });
  });
});
