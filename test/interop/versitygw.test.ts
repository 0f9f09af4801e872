import { afterAll, beforeAll, describe } from 'vitest';
import type { Differences } from './behaviour.js';
import { describeObjectStorage, type StorageBehaviour } from './object-storage.suite.js';
import { installVersitygw, startVersitygw } from './servers/versitygw.js';
import type { S3Server } from './servers/s3-server.js';
import { storageOf } from './servers/storage-of.js';

const KEYS_ARE_PATHS = 'keys are paths of files';
const differences: Differences<StorageBehaviour> = {
  'a copy that must be new writes over nothing': 'versitygw takes no If-None-Match on CopyObject',
  'the key with a leading slash is put, listed, read, tagged, copied and deleted': KEYS_ARE_PATHS,
  'the key with two slashes is put, listed, read, tagged, copied and deleted': KEYS_ARE_PATHS,
  'the key with dots is put, listed, read, tagged, copied and deleted': KEYS_ARE_PATHS,
  'the key of one dot is put, listed, read, tagged, copied and deleted': KEYS_ARE_PATHS,
  'the key with a slash at its end and content is put, listed, read, tagged, copied and deleted':
    'such a key is a folder, which holds no bytes',
  'the key of 1,024 bytes is put, listed, read, tagged, copied and deleted':
    'a file name has at most 255 bytes; a key of shorter parts may be as long',
};

const tool = await installVersitygw();

describe.skipIf('missing' in tool)(
  `objects on versitygw${'missing' in tool ? ` (skipped: ${tool.missing})` : ''}`,
  () => {
    let server: S3Server;
    let setting: Awaited<ReturnType<typeof storageOf>>;
    beforeAll(async () => {
      if ('missing' in tool) return;
      server = await startVersitygw(tool);
      setting = await storageOf(server);
    }, 60_000);
    afterAll(async () => {
      setting.close();
      await server.stop();
    });
    describeObjectStorage(() => setting, { kinds: ['versioned', 'plain'], differences });
  },
);
