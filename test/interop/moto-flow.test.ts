import { PutBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Differences } from './behaviour.js';
import { describeFlow, type FlowBehaviour } from './flow.suite.js';
import { installMoto, startMoto } from './servers/moto.js';
import { clientOf, makeBuckets } from './servers/s3-server.js';
import { watched, type WatchedServer } from './servers/watched-server.js';

const differences: Differences<FlowBehaviour> = {
  'every version is scanned and tagged as what it is':
    'its events carry no version id: what is overwritten before its scan is left to the comparison with the listing',
  'the key with a line break is scanned and tagged': 'no route of moto matches a path with a line break',
};

const tool = await installMoto();

describe.skipIf('missing' in tool)(
  `uploads to moto, told by SNS over HTTP${'missing' in tool ? ` (skipped: ${tool.missing})` : ''}`,
  () => {
    let setting: WatchedServer;
    beforeAll(async () => {
      if ('missing' in tool) return;
      setting = await watched(async ({ port, webhook }) => {
        const server = await startMoto(tool, port);
        const s3 = clientOf(server);
        await makeBuckets(s3, { uploads: 'versioned', plain: 'plain', quarantine: 'versioned' });
        const sns = new SNSClient({
          endpoint: server.endpoint,
          region: server.region,
          credentials: server.keys,
        });
        const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'uploads' }));
        await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: webhook }));
        for (const Bucket of ['uploads', 'plain']) {
          await s3.send(
            new PutBucketNotificationConfigurationCommand({
              Bucket,
              NotificationConfiguration: {
                TopicConfigurations: [{ TopicArn, Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'] }],
              },
            }),
          );
        }
        sns.destroy();
        s3.destroy();
        return server;
      });
    }, 120_000);
    afterAll(() => setting.close(), 60_000);
    describeFlow(() => setting, { kinds: ['versioned', 'plain'], differences });
  },
);
