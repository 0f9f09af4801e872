import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import type { Resolve } from '../../../src/outbound/egress/egress.js';
import { testDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { registryNode, type RegistryNode } from './registry-app.js';

const db = await testDatabase();
const nodes: RegistryNode[] = [];
const start = async (environment: Record<string, string>, resolve?: Resolve): Promise<RegistryNode> => {
  const node = await registryNode(db, environment, resolve);
  nodes.push(node);
  return node;
};
beforeEach(() => db.truncate());
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close();
});

const KEYS = { kind: 'keys', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-real-secret' };
const MINIO = {
  S3_ENDPOINT: 'http://localhost:9000',
  S3_BUCKETS: 'inbox',
  S3_ALLOW_PRIVATE_ENDPOINTS: 'true',
};

describe('a loop is refused where it is made', () => {
  test.each([
    ['http://127.0.0.1:9000', 'inbox', /inbox \(endpoint s3\) by another address/],
    ['http://LOCALHOST.:9000/', 'inbox', /by another address/],
    ['http://[::1]:9000', 'held', /holds the quarantine of inbox/],
    ['http://127.0.0.1:9000', 'values', /large values of workflows/],
  ])('through %s: %s', async (url, bucket, message) => {
    const node = await start({
      ...MINIO,
      ACTION_MODE: 'quarantine',
      QUARANTINE_BUCKET: 'held',
      PAYLOAD_BUCKET: 'values',
    });
    expect(
      (await node.call('POST', '/api/v1/endpoints', { id: 'again', url, credentials: KEYS })).status,
    ).toBe(201);
    const answer = await node.call('POST', '/api/v1/buckets', { endpointId: 'again', bucket });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toMatch(message);
    // Elsewhere the name is free.
    await node.call('POST', '/api/v1/endpoints', { id: 'aws', credentials: { kind: 'default' } });
    expect((await node.call('POST', '/api/v1/buckets', { endpointId: 'aws', bucket })).status).toBe(201);
  });

  test('also when it is the endpoint’s address that changes', async () => {
    const node = await start(MINIO);
    const url = 'http://127.0.0.1:9001';
    await node.call('POST', '/api/v1/endpoints', { id: 'second', url, credentials: KEYS });
    await node.call('POST', '/api/v1/buckets', { endpointId: 'second', bucket: 'inbox' });
    const moved = await node.call('PATCH', '/api/v1/endpoints/second', {
      version: 1,
      url: 'http://127.0.0.1:9000',
    });
    expect(moved.status).toBe(400);
    expect(JSON.stringify(moved.body)).toMatch(/scanned twice/);
    expect(node.registry.endpoint('second')).toMatchObject({ url, version: 1 });
  });

  test('also by the configuration of a later start', async () => {
    const node = await start(MINIO);
    const body = { endpointId: 's3', bucket: 'more', actionMode: 'quarantine', quarantineBucket: 'next' };
    await node.call('POST', '/api/v1/buckets', body);
    await expect(start({ ...MINIO, S3_BUCKETS: 'inbox,next' })).rejects.toThrow(ConfigError);
    expect(node.registry.byName('next')).toBeUndefined();
  });

  test('made by two people at the same time, one is refused', async () => {
    const node = await start(MINIO);
    const answers = await Promise.all([
      node.call('POST', '/api/v1/buckets', {
        endpointId: 's3',
        bucket: 'one-side',
        quarantineBucket: 'two-side',
      }),
      node.call('POST', '/api/v1/buckets', {
        endpointId: 's3',
        bucket: 'two-side',
        quarantineBucket: 'one-side',
      }),
    ]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 400]);
  });
});

describe('the configuration seeds the registry', () => {
  test('once, however often and by however many processes it is started', async () => {
    await Promise.all([start(MINIO), start(MINIO), start(MINIO)]);
    const node = await start(MINIO);
    expect(node.registry.list()).toMatchObject([
      { endpointId: 's3', bucket: 'inbox', actionMode: 'tag', managedBy: 'configuration', version: 1 },
    ]);
    const seeded = await db.query(`SELECT 1 FROM audit_event WHERE action = 'bucket.seeded'`);
    expect(seeded).toHaveLength(1);
  });

  test('and what nobody touched follows it', async () => {
    await start(MINIO);
    const next = {
      ...MINIO,
      S3_BUCKETS: 'inbox,second',
      ACTION_MODE: 'quarantine',
      QUARANTINE_BUCKET: 'held',
    };
    const node = await start(next);
    expect(node.registry.list()).toMatchObject([
      { bucket: 'inbox', actionMode: 'quarantine', quarantineBucket: 'held', version: 2 },
      { bucket: 'second', actionMode: 'quarantine', version: 1 },
    ]);
  });

  test('but not what a person changed', async () => {
    const first = await start(MINIO);
    await first.call('PATCH', '/api/v1/buckets/s3/inbox', { version: 1, actionMode: 'observe' });
    const node = await start({ ...MINIO, ACTION_MODE: 'tag', QUARANTINE_BUCKET: 'held' });
    expect(node.registry.byName('inbox')).toMatchObject({
      actionMode: 'observe',
      managedBy: 'people',
      version: 2,
    });
  });

  test('and does not bring back what a person removed', async () => {
    const first = await start(MINIO);
    await first.call('DELETE', '/api/v1/buckets/s3/inbox?version=1');
    const node = await start(MINIO);
    expect(node.registry.list()).toEqual([]);
  });
});

test('a change is seen by another node in less than a second, and by one that hears nothing within one', async () => {
  const [here, there] = [await start(MINIO), await start(MINIO)];
  await here.call('POST', '/api/v1/buckets', { endpointId: 's3', bucket: 'second' });
  // By the notice: the other node's clock stands still.
  await eventually(() => there.registry.byName('second'));

  // Without any notice, as behind a pooler: written past this process.
  await db.query(`UPDATE bucket SET enabled = false, version = version + 1 WHERE name = 'second'`);
  await db.query('UPDATE bucket_registry SET revision = revision + 1');
  await eventually(() => there.clock.sleeping.count > 0);
  there.clock.advance(1_000);
  await eventually(() => there.registry.byName('second') === undefined);
});
