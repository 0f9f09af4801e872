import { beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../../support/database.js';
import { registryNode, type RegistryNode } from './registry-app.js';

const db = await testDatabase();
let node: RegistryNode;

const KEYS = { accessKeyId: 'AKIDEXAMPLE7Q2Z', secretAccessKey: ['the', 'secret', 'of', 'minio'].join('-') };

beforeEach(async () => {
  await node?.close();
  await db.truncate();
  node = await registryNode(db, { S3_BUCKETS: 'inbox' });
});

describe('an endpoint', () => {
  test('of AWS needs a region only, and shows the role that is taken on', async () => {
    const made = await node.call('POST', '/api/v1/endpoints', {
      id: 'partner',
      region: 'eu-central-1',
      credentials: {
        kind: 'role',
        roleArn: 'arn:aws:iam::123456789012:role/sallyport',
        externalId: 'tenant-7',
      },
    });
    expect(made).toMatchObject({
      status: 201,
      body: {
        id: 'partner',
        kind: 'registered',
        url: null,
        region: 'eu-central-1',
        pathStyle: false,
        credentials: {
          kind: 'role',
          roleArn: 'arn:aws:iam::123456789012:role/sallyport',
          externalId: 'tenant-7',
        },
      },
    });
  });

  test('keeps its keys sealed: in no answer, no log, no audit and no row', async () => {
    const url = 'https://8.8.8.8:9000';
    const answers = [
      await node.call('POST', '/api/v1/endpoints', {
        id: 'minio',
        url,
        credentials: { kind: 'keys', ...KEYS },
      }),
      await node.call('PATCH', '/api/v1/endpoints/minio', {
        version: 1,
        credentials: { kind: 'keys', ...KEYS },
      }),
      await node.call('GET', '/api/v1/endpoints/minio'),
      await node.call('GET', '/api/v1/endpoints'),
      await node.call('POST', '/api/v1/endpoints', {
        id: 'minio',
        url,
        credentials: { kind: 'keys', ...KEYS },
      }),
      await node.call('POST', '/api/v1/endpoints', {
        id: 'X',
        url,
        credentials: { kind: 'keys', ...KEYS, extra: 1 },
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 200, 409, 400]);
    expect(answers[2]?.body).toMatchObject({ credentials: { kind: 'keys', accessKeyHint: '…7Q2Z' } });
    const rows = await db.query('SELECT * FROM s3_endpoint');
    const audit = await db.query('SELECT * FROM audit_event');
    for (const told of [answers, rows, audit, node.lines]) {
      expect(JSON.stringify(told)).not.toContain(KEYS.secretAccessKey);
      expect(JSON.stringify(told)).not.toContain(KEYS.accessKeyId);
    }
    // The client has them all the same.
    const credentials = await node.endpoints.client('minio').config.credentials();
    expect(credentials).toMatchObject(KEYS);
  });

  test.each([
    ['http://169.254.169.254', /metadata/],
    ['http://[fd00:ec2::254]', /metadata/],
    ['http://[::ffff:169.254.169.254]', /metadata/],
    ['http://169.254.7.7', /link local/],
    ['http://127.0.0.1:9000', /loopback.*S3_ALLOW_PRIVATE_ENDPOINTS/],
    ['http://2130706433:9000', /loopback/],
    ['http://localhost:9000', /loopback/],
    ['http://10.1.2.3', /private/],
    ['http://user:pass@s3.example.org', /credentials/],
    ['ftp://s3.example.org', /ftp/],
    ['https://8.8.8.8/?x=1', /query/],
    ['https://8.8.8.8:5432', /5432/],
    ['not an address', /address/],
    ['https://no-such-host.invalid', /DNS/],
  ])('at %s is refused', async (url, message) => {
    const answer = await node.call('POST', '/api/v1/endpoints', {
      id: 'x',
      url,
      credentials: { kind: 'keys', ...KEYS },
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toMatch(message);
    expect(JSON.stringify(answer.body)).toContain('url');
  });

  test('of somebody else is not shown what this process may do at AWS', async () => {
    const answer = await node.call('POST', '/api/v1/endpoints', {
      id: 'x',
      url: 'https://8.8.8.8',
      credentials: { kind: 'default' },
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toMatch(/default chain is for AWS/);
    const aws = await node.call('POST', '/api/v1/endpoints', { id: 'x', credentials: { kind: 'default' } });
    expect(aws.status).toBe(201);
  });

  test('is changed by one of two at a time, and gets another client then', async () => {
    await node.call('POST', '/api/v1/endpoints', {
      id: 'eu',
      region: 'eu-west-1',
      credentials: { kind: 'default' },
    });
    const before = node.endpoints.client('eu');
    expect(node.endpoints.client('eu')).toBe(before);
    const answers = await Promise.all(
      ['eu-west-2', 'eu-west-3'].map((region) =>
        node.call('PATCH', '/api/v1/endpoints/eu', { version: 1, region }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const region = answers.find(({ status }) => status === 200)?.body['region'];
    expect(await node.endpoints.client('eu').config.region()).toBe(region);
  });

  test('is removed when no bucket is on it any more', async () => {
    await node.call('POST', '/api/v1/endpoints', { id: 'eu', credentials: { kind: 'default' } });
    await node.call('POST', '/api/v1/buckets', { endpointId: 'eu', bucket: 'drop' });
    const refused = await node.call('DELETE', '/api/v1/endpoints/eu?version=1');
    expect(refused.status).toBe(409);
    expect(JSON.stringify(refused.body)).toContain('drop');
    await node.call('DELETE', '/api/v1/buckets/eu/drop?version=1');
    expect((await node.call('DELETE', '/api/v1/endpoints/eu?version=1')).status).toBe(204);
    expect((await node.call('GET', '/api/v1/endpoints/eu')).status).toBe(404);
    expect(() => node.endpoints.client('eu')).toThrow(/No S3 endpoint eu/);
  });

  test('of the configuration is not for people to change', async () => {
    const changed = await node.call('PATCH', '/api/v1/endpoints/s3', { version: 1, region: 'eu-west-1' });
    const removed = await node.call('DELETE', '/api/v1/endpoints/s3?version=1');
    expect([changed.status, removed.status]).toEqual([409, 409]);
    expect(JSON.stringify(changed.body)).toMatch(/S3_ENDPOINT/);
  });
});
