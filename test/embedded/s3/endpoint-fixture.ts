import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { startS3Endpoint } from '../../../src/embedded/s3/endpoint.js';
import type { S3Endpoint, S3EndpointOptions } from '../../../src/embedded/s3/endpoint.js';

export const REGION = 'us-east-1';
export const ACCESS_KEY_ID = ['test', 'access', 'id'].join('-');
export const SECRET_ACCESS_KEY = ['not', 'a', 'secret', 'at', 'all'].join('-');

const leftovers: (() => Promise<void>)[] = [];

/** To be called in `afterEach`: closes what a test started and removes what it wrote. */
export async function cleanUp(): Promise<void> {
  for (const remove of leftovers.splice(0).toReversed()) await remove();
}

export const onCleanUp = (work: () => Promise<void>): void => void leftovers.push(work);

export async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 's3-endpoint-'));
  onCleanUp(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** An endpoint on a free port, and a client for it. */
export async function start(
  options: Partial<S3EndpointOptions> = {},
): Promise<{ endpoint: S3Endpoint; client: S3Client; directory: string }> {
  const directory = options.directory ?? (await makeDirectory());
  const endpoint = await startS3Endpoint({
    accessKeyId: ACCESS_KEY_ID,
    secretAccessKey: SECRET_ACCESS_KEY,
    region: REGION,
    ...options,
    directory,
  });
  const client = connect(endpoint.url);
  onCleanUp(async () => {
    client.destroy();
    await endpoint.close();
  });
  return { endpoint, client, directory };
}

export const connect = (url: string, config: S3ClientConfig = {}): S3Client =>
  new S3Client({
    endpoint: url,
    region: REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
    maxAttempts: 1,
    ...config,
  });

/** What S3 answered, for a call that must fail. */
export async function failure(
  call: Promise<unknown>,
): Promise<{ name: string; status: number | undefined; headers: Record<string, string> }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    const { name, $metadata, $response } = error;
    return { name, status: $metadata.httpStatusCode, headers: $response?.headers ?? {} };
  }
  throw new Error('The call was expected to fail.');
}
