import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startS3Endpoint } from '../../../src/embedded/s3/endpoint.js';
import type { S3Server } from './s3-server.js';

/** Our own endpoint, without the service around it. */
export async function startEmbedded(): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-embedded-'));
  const keys = { accessKeyId: 'interop-key', secretAccessKey: 'interop-secret' };
  const server = await startS3Endpoint({ directory: join(folder, 's3'), port: 0, ...keys });
  return {
    endpoint: server.url,
    region: 'us-east-1',
    keys,
    stop: async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
