import { afterAll, beforeAll, describe } from 'vitest';
import { describeObjectStorage } from './object-storage.suite.js';
import { startEmbedded } from './servers/embedded.js';
import type { S3Server } from './servers/s3-server.js';
import { storageOf } from './servers/storage-of.js';

describe('objects on the embedded endpoint', () => {
  let server: S3Server;
  let setting: Awaited<ReturnType<typeof storageOf>>;
  beforeAll(async () => {
    server = await startEmbedded();
    setting = await storageOf(server);
  });
  afterAll(async () => {
    setting.close();
    await server.stop();
  });
  describeObjectStorage(() => setting, { kinds: ['versioned', 'plain'] });
});
