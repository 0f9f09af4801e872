import { afterAll, beforeAll, describe } from 'vitest';
import type { Differences } from './behaviour.js';
import { describeFlow, type FlowBehaviour } from './flow.suite.js';
import { clientOf, makeBuckets } from './servers/s3-server.js';
import { installVersitygw, startVersitygw } from './servers/versitygw.js';
import { watched, type WatchedServer } from './servers/watched-server.js';

const KEYS_ARE_PATHS = 'keys are paths of files, and these cannot be put';
const differences: Differences<FlowBehaviour> = {
  'the key with dots is scanned and tagged': KEYS_ARE_PATHS,
  'the key of one dot is scanned and tagged': KEYS_ARE_PATHS,
  'the key with a slash at its end and content is scanned and tagged': KEYS_ARE_PATHS,
  'the key of 1,024 bytes is scanned and tagged': 'a file name has at most 255 bytes',
};

const tool = await installVersitygw();

describe.skipIf('missing' in tool)(
  `uploads to versitygw, told by its webhook${'missing' in tool ? ` (skipped: ${tool.missing})` : ''}`,
  () => {
    let setting: WatchedServer;
    beforeAll(async () => {
      if ('missing' in tool) return;
      setting = await watched(async ({ port, webhook }) => {
        const server = await startVersitygw(tool, { port, webhook });
        const s3 = clientOf(server);
        await makeBuckets(s3, { uploads: 'versioned', plain: 'plain', quarantine: 'versioned' });
        s3.destroy();
        return server;
      });
    }, 120_000);
    afterAll(() => setting.close(), 60_000);
    describeFlow(() => setting, { kinds: ['versioned', 'plain'], differences });
  },
);
