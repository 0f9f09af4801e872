import { afterAll, beforeAll, describe } from 'vitest';
import type { Differences } from './behaviour.js';
import { describeObjectStorage, type StorageBehaviour } from './object-storage.suite.js';
import { installMoto, startMoto } from './servers/moto.js';
import type { S3Server } from './servers/s3-server.js';
import { storageOf } from './servers/storage-of.js';

const differences: Differences<StorageBehaviour> = {
  'wrong keys are denied': 'moto checks no signatures unless it is told to, and then wants users in its IAM',
  'a copy that must be new writes over nothing': 'moto takes no If-None-Match on CopyObject',
  'a source that changed is not copied in parts':
    'moto takes no If-Match on parts; reading the copy back finds the difference, and the copy is removed',
  'the key with a line break is put, listed, read, tagged, copied and deleted':
    'no route of moto matches a path with a line break',
};

const tool = await installMoto();

describe.skipIf('missing' in tool)(
  `objects on moto${'missing' in tool ? ` (skipped: ${tool.missing})` : ''}`,
  () => {
    let server: S3Server;
    let setting: Awaited<ReturnType<typeof storageOf>>;
    beforeAll(async () => {
      if ('missing' in tool) return;
      server = await startMoto(tool);
      setting = await storageOf(server);
    }, 60_000);
    afterAll(async () => {
      setting.close();
      await server.stop();
    });
    describeObjectStorage(() => setting, { kinds: ['versioned', 'plain'], differences });
  },
);
