import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { readConfig, type Config } from '../../src/config.js';
import { startS3Endpoint } from '../../src/embedded/s3/endpoint.js';
import { EMBEDDED_ENDPOINT } from '../../src/s3/buckets.js';
import { Endpoints } from '../../src/s3/endpoints.js';
import { needsRandomAccess } from '../../src/s3/needs-random-access.js';
import { ObjectStorage, type PinnedObject } from '../../src/s3/object-storage.js';
import { SharedReads } from '../../src/s3/shared-reads.js';
import { Spool } from '../../src/s3/spool.js';

export const SPOOL_BYTES = 64 * 1024 * 1024;

/** A running embedded S3 endpoint and everything that stands on it. Close it. */
export interface TestS3 {
  readonly config: Config;
  readonly client: S3Client;
  readonly endpoints: Endpoints;
  readonly storage: ObjectStorage;
  readonly spool: Spool;
  readonly reads: SharedReads;
  readonly directory: string;
  /** Uploads and pins. */
  put(key: string, body: Buffer | string, bucket?: string): Promise<PinnedObject>;
  close(): Promise<void>;
}

/** Buckets `uploads` and `quarantine` keep versions, `plain` and `plain-quarantine` do not. */
export async function startTestS3(environment: Record<string, string> = {}): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport s3-'));
  const keys = { accessKeyId: 'TESTKEYID', secretAccessKey: 'test-secret-of-the-endpoint' };
  const server = await startS3Endpoint({ directory: join(directory, 's3'), port: 0, ...keys });
  await server.createBucket('uploads', { versioning: true });
  await server.createBucket('quarantine', { versioning: true });
  await server.createBucket('plain');
  await server.createBucket('plain-quarantine');
  const config = readConfig({ SALLYPORT_HOME: directory, ...environment });
  const endpoints = new Endpoints(config);
  endpoints.registerEmbedded({ endpoint: server.url, ...keys });
  const storage = new ObjectStorage(endpoints);
  const spool = new Spool(join(directory, 'spool'), SPOOL_BYTES);
  const reads = new SharedReads(storage, spool, { wantsSpool: needsRandomAccess });
  const client = new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: keys,
  });
  return {
    config,
    client,
    endpoints,
    storage,
    spool,
    reads,
    directory,
    put: async (key, body, bucket = 'uploads') => {
      const ref = { endpointId: EMBEDDED_ENDPOINT, bucket, key };
      const { versionId, eTag } = await storage.put(ref, body);
      return { ...ref, versionId, eTag };
    },
    close: async () => {
      endpoints.close();
      client.destroy();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
