import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { sealText } from '../../src/access/sealing.js';
import type { Key, Keyring } from '../../src/access/keyring.js';
import { readConfig } from '../../src/config.js';
import { NotHere } from '../../src/engine/ports.js';
import type { BucketPolicy } from '../../src/s3/buckets.js';
import type { CallTerms } from '../../src/s3/call-terms.js';
import { Endpoints } from '../../src/s3/endpoints.js';
import { ObjectStorage } from '../../src/s3/object-storage.js';
import { OutOfReach } from '../../src/s3/out-of-reach.js';
import { HOLD_MS, Reachability } from '../../src/s3/reachability.js';
import {
  keysOf,
  type EndpointCredentials,
  type RegisteredEndpoint,
} from '../../src/s3/registry/registered.js';
import { StorageError } from '../../src/s3/storage-error.js';
import { gapOf } from '../../src/tasks/storage-failure.js';
import { startSts, TEMPORARY } from '../support/sts-server.js';

const key: Key = { id: 'credentials-test', key: Buffer.alloc(32, 7) };
const keyring = { for: () => key, named: () => key } as unknown as Keyring;
const sealedKeys = sealText(key, JSON.stringify(['AKIDOURS', 'secret-of-ours']), keysOf('x'));

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** Stands where S3 is: answers as it is told, and keeps what was asked. */
async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  afterAll(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, close };
}
const empty = (_: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, { etag: '"e"', 'content-length': '0' });
  response.end();
};

/** Answers what a move asks. */
const asked = (request: IncomingMessage, response: ServerResponse): void => {
  if (request.method === 'GET' && request.url?.includes('tagging')) {
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end('<Tagging><TagSet></TagSet></Tagging>');
  } else if (request.headers['x-amz-copy-source'] !== undefined) {
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end('<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>');
  } else if (request.method === 'GET' && request.url?.includes('list-type')) {
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end('<ListBucketResult><Name>in</Name><IsTruncated>false</IsTruncated></ListBucketResult>');
  } else empty(request, response);
};

const open: Endpoints[] = [];
afterEach(() => open.splice(0).forEach((endpoints) => endpoints.close()));

function storageAt(
  url: string,
  parts: {
    credentials?: EndpointCredentials;
    environment?: Record<string, string>;
    policy?: Partial<BucketPolicy>;
    ofQuarantine?: CallTerms;
    reachability?: Reachability;
  } = {},
) {
  const endpoint: RegisteredEndpoint = {
    id: 'x',
    kind: 'registered',
    url,
    region: 'eu-central-1',
    pathStyle: true,
    credentials: parts.credentials ?? { kind: 'keys', sealedKeys },
    version: 1,
    createdAt: 0,
    updatedAt: 0,
    updatedBy: 'user:erin',
  };
  const policy = {
    endpointId: 'x',
    bucket: 'in',
    actionMode: 'tag',
    required: ['secrets'],
    ...parts.policy,
  } as const;
  const source = {
    endpoint: (id: string) => (id === 'x' ? endpoint : undefined),
    termsOf: (_: string, bucket: string) =>
      bucket === 'in' ? policy : bucket === 'held' ? parts.ofQuarantine : undefined,
  };
  const config = readConfig({ S3_ALLOW_PRIVATE_ENDPOINTS: 'true', ...parts.environment });
  const endpoints = new Endpoints(config, { source, keyring }, parts.reachability);
  open.push(endpoints);
  return new ObjectStorage(endpoints);
}
const object = { endpointId: 'x', bucket: 'in', key: 'a', eTag: 'e' };
const failureOf = async (call: Promise<unknown>): Promise<StorageError> => {
  const error = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(StorageError);
  return error as StorageError;
};

describe('a role', () => {
  test('is taken on with its external id, by the keys that were given, and what it gives signs the calls', async () => {
    const sts = await startSts('tenant-7');
    const s3 = await listen(empty);
    const storage = storageAt(s3.url, {
      environment: { S3_STS_ENDPOINT: sts.url },
      credentials: {
        kind: 'role',
        roleArn: 'arn:aws:iam::123456789012:role/sallyport',
        externalId: 'tenant-7',
        sealedKeys,
      },
    });
    await storage.head(object);
    await storage.head(object);
    expect(sts.calls).toMatchObject([
      {
        signedBy: 'AKIDOURS',
        parameters: {
          Action: 'AssumeRole',
          RoleArn: 'arn:aws:iam::123456789012:role/sallyport',
          ExternalId: 'tenant-7',
          RoleSessionName: 'sallyport-x',
        },
      },
    ]);
    expect(s3.seen).toHaveLength(2);
    expect(s3.seen[0]?.headers).toMatchObject({ 'x-amz-security-token': TEMPORARY.sessionToken });
    expect(s3.seen[0]?.headers.authorization).toContain(`Credential=${TEMPORARY.accessKeyId}/`);
    await sts.close();
  });

  test('that does not trust us is told as denied', async () => {
    const sts = await startSts('tenant-7');
    const s3 = await listen(empty);
    const storage = storageAt(s3.url, {
      environment: { S3_STS_ENDPOINT: sts.url },
      credentials: {
        kind: 'role',
        roleArn: 'arn:aws:iam::123456789012:role/sallyport',
        externalId: 'another',
        sealedKeys,
      },
    });
    expect(await failureOf(storage.head(object))).toMatchObject({
      outcome: 'denied',
      s3Code: 'AccessDenied',
    });
    expect(s3.seen).toEqual([]);
    await sts.close();
  });
});

test('every call says whom the bucket must belong to, and that we pay where the requester pays', async () => {
  const s3 = await listen(asked);
  const storage = storageAt(s3.url, { policy: { expectedOwner: '123456789012', requesterPays: true } });
  await storage.mergeTags({ ...object, versionId: 'v1' }, { a: 'b' });
  await storage.digest(object);
  await storage.list({ endpointId: 'x', bucket: 'in' });
  await storage.deleteVersion({ ...object, versionId: 'v1' });
  await storage.put(object, 'body');
  expect(s3.seen).toHaveLength(6);
  for (const { headers } of s3.seen) {
    expect(headers).toMatchObject({
      'x-amz-expected-bucket-owner': '123456789012',
      'x-amz-request-payer': 'requester',
    });
  }
  s3.seen.length = 0;
  await storage.copyVerified({ source: object, destination: { bucket: 'held', key: 'k' } });
  const copy = s3.seen.find(({ headers }) => headers['x-amz-copy-source'] !== undefined);
  expect(copy?.headers).toMatchObject({
    'x-amz-source-expected-bucket-owner': '123456789012',
    'x-amz-request-payer': 'requester',
  });
  // Another bucket's owner is not the source's.
  expect(copy?.headers['x-amz-expected-bucket-owner']).toBeUndefined();
});

test('what goes to quarantine says whom each of the two buckets must belong to', async () => {
  const s3 = await listen(asked);
  const storage = storageAt(s3.url, {
    policy: { expectedOwner: '123456789012' },
    ofQuarantine: { expectedOwner: '210987654321' },
  });
  await storage.copyVerified({ source: object, destination: { bucket: 'held', key: 'k' } });
  const copy = s3.seen.find(({ headers }) => headers['x-amz-copy-source'] !== undefined);
  expect(copy?.headers).toMatchObject({
    'x-amz-expected-bucket-owner': '210987654321',
    'x-amz-source-expected-bucket-owner': '123456789012',
  });
  const inQuarantine = s3.seen.filter(({ url }) => url.startsWith('/held/'));
  expect(inQuarantine.length).toBeGreaterThan(1);
  for (const { headers } of inQuarantine) expect(headers['x-amz-expected-bucket-owner']).toBe('210987654321');
});

test('without such terms nothing is said of them', async () => {
  const s3 = await listen(empty);
  await storageAt(s3.url).head(object);
  expect(Object.keys(s3.seen[0]?.headers ?? {})).not.toContain('x-amz-request-payer');
  expect(Object.keys(s3.seen[0]?.headers ?? {})).not.toContain('x-amz-expected-bucket-owner');
});

describe('an address', () => {
  test('that is private again closed by the operator is called no more, and nothing is sent', async () => {
    const s3 = await listen(empty);
    const storage = storageAt(s3.url, { environment: { S3_ALLOW_PRIVATE_ENDPOINTS: 'false' } });
    const error = await failureOf(storage.head(object));
    expect(error).toBeInstanceOf(OutOfReach);
    expect(error.message).toMatch(/loopback/);
    expect(s3.seen).toEqual([]);
  });

  test('that a name leads to is checked when it is connected to', async () => {
    const s3 = await listen(empty);
    const url = `http://localhost:${new URL(s3.url).port}`;
    await storageAt(url).head(object);
    expect(s3.seen).toHaveLength(1);
    const closed = storageAt(url, { environment: { S3_ALLOW_PRIVATE_ENDPOINTS: 'false' } });
    expect(await failureOf(closed.head(object))).toMatchObject({ outcome: 'unreachable' });
    expect(s3.seen).toHaveLength(1);
  });

  test('that S3 redirects to is not followed; the region that it names is told', async () => {
    const elsewhere = await listen(empty);
    const s3 = await listen((_, response) => {
      response.writeHead(301, {
        location: `${elsewhere.url}/in/a`,
        'x-amz-bucket-region': 'ap-south-1',
        'content-type': 'application/xml',
      });
      response.end();
    });
    const error = await failureOf(storageAt(s3.url).head(object));
    expect(error.message).toMatch(/in ap-south-1/);
    expect(elsewhere.seen).toEqual([]);
  });
});

describe('an endpoint that this process has no way to', () => {
  test('leaves its tasks to others, without an attempt', () => {
    const endpoints = new Endpoints(readConfig({}));
    const call = (): unknown => endpoints.client('embedded');
    expect(call).toThrow(OutOfReach);
    expect(endpoints.trouble('embedded')).toMatch(/another process/);
    try {
      call();
    } catch (error) {
      expect(() => gapOf(error, { pollCount: 1 })).toThrow(NotHere);
    }
  });

  test('is not tried by everybody, and again after a while', async () => {
    let now = 0;
    const reachability = new Reachability(() => now);
    const s3 = await listen(empty);
    const { url } = s3;
    await s3.close();
    const storage = storageAt(url, { reachability });
    const first = await failureOf(storage.head(object));
    expect(first).toMatchObject({ outcome: 'unreachable' });
    expect(first).not.toBeInstanceOf(OutOfReach);
    expect(await failureOf(storage.head(object))).toBeInstanceOf(OutOfReach);
    now += HOLD_MS;
    expect(await failureOf(storage.head(object))).not.toBeInstanceOf(OutOfReach);
    expect(reachability.trouble('x')).toMatchObject({ forMs: HOLD_MS });
  });

  test('is reached again as soon as somebody answers, whatever it says', async () => {
    const reachability = new Reachability();
    reachability.failed('x', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    expect(reachability.trouble('x')).toMatchObject({ why: 'refused' });
    reachability.answered('x');
    expect(reachability.trouble('x')).toBeUndefined();
  });

  test('is told from one whose connection broke, which says nothing of the way there', () => {
    const reachability = new Reachability();
    for (const code of ['ECONNRESET', 'EPIPE'])
      reachability.failed('x', Object.assign(new Error(code), { code }));
    expect(reachability.trouble('x')).toBeUndefined();
  });
});
