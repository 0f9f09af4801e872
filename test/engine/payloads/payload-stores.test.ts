import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { startS3Endpoint, type S3Endpoint } from '../../../src/embedded/s3/endpoint.js';
import { MemoryPayloadStore } from '../../../src/engine/payloads/memory-payload.store.js';
import { PostgresPayloadStore } from '../../../src/engine/payloads/postgres-payload.store.js';
import { readConfig } from '../../../src/config.js';
import { EMBEDDED_ENDPOINT } from '../../../src/s3/buckets.js';
import { Endpoints } from '../../../src/s3/endpoints.js';
import { ObjectStorage } from '../../../src/s3/object-storage.js';
import { S3PayloadStore } from '../../../src/s3/s3-payload.store.js';
import { testDatabase } from '../../support/database.js';
import { payloadStoreSuite } from '../conformance/payload-store.suite.js';

describe('the payload store in memory', () => {
  payloadStoreSuite(async () => new MemoryPayloadStore());
});

describe('the payload store on PostgreSQL', () => {
  let database: Database;
  beforeAll(async () => {
    database = new Database((await testDatabase()).url);
  });
  afterAll(() => database.close());
  payloadStoreSuite(async () => new PostgresPayloadStore(database));
});

describe.each([{ versioning: true }, { versioning: false }])('the payload store on S3, %o', (options) => {
  const directory = mkdtempSync(join(tmpdir(), 'payloads-s3-'));
  let endpoint: S3Endpoint;
  let endpoints: Endpoints;
  beforeAll(async () => {
    const keys = { accessKeyId: 'key', secretAccessKey: 'secret' };
    endpoint = await startS3Endpoint({
      directory,
      host: '127.0.0.1',
      port: 0,
      ...keys,
      eventBuckets: [],
      onEvent: async () => undefined,
      logger: pino({ level: 'silent' }),
    });
    await endpoint.createBucket('payloads', options);
    endpoints = new Endpoints(readConfig({}));
    endpoints.registerEmbedded({ endpoint: endpoint.url, ...keys });
  });
  afterAll(async () => {
    endpoints.close();
    await endpoint.close();
    rmSync(directory, { recursive: true });
  });
  payloadStoreSuite(
    async () =>
      new S3PayloadStore(new ObjectStorage(endpoints), {
        endpointId: EMBEDDED_ENDPOINT,
        bucket: 'payloads',
      }),
  );
});
