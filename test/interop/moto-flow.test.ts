import {
  PutBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
} from '@aws-sdk/client-s3';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Differences } from './behaviour.js';
import { describeFlow, type FlowBehaviour } from './flow.suite.js';
import { installMoto, MOTO_ACCOUNT, startMoto } from './servers/moto.js';
import { clientOf, makeBuckets, type S3Server } from './servers/s3-server.js';
import { watched, type WatchedServer } from './servers/watched-server.js';

const differences: Differences<FlowBehaviour> = {
  'the key with a line break is scanned and tagged': 'no route of moto matches a path with a line break',
};

const EVENTS = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'] as const;
const QUEUE = 'uploads';

/** Sets up how moto tells of uploads. @returns the buckets' notifications. */
type Telling = (server: S3Server) => Promise<NotificationConfiguration>;

const byQueue: Telling = async (server) => ({
  QueueConfigurations: [{ QueueArn: await queueOf(server), Events: [...EVENTS] }],
});

const byTopicAndQueue: Telling = async (server) => {
  const TopicArn = await topicTold(server, await queueOf(server));
  return { TopicConfigurations: [{ TopicArn, Events: [...EVENTS] }] };
};

/** A topic that a queue is subscribed to, wrapped as SNS does by default. */
async function topicTold(server: S3Server, queueArn: string): Promise<string> {
  const { endpoint, region, keys } = server;
  const sns = new SNSClient({ endpoint, region, credentials: keys });
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'uploads' }));
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn }));
  sns.destroy();
  return TopicArn;
}

async function queueOf(server: S3Server): Promise<string> {
  const { endpoint, region, keys } = server;
  const sqs = new SQSClient({ endpoint, region, credentials: keys });
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: QUEUE }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  sqs.destroy();
  return Attributes?.QueueArn ?? '';
}

const tool = await installMoto();

describe.each<{ readonly how: string; readonly telling: Telling }>([
  { how: 'SQS', telling: byQueue },
  { how: 'SNS and SQS', telling: byTopicAndQueue },
])('uploads to moto, told by $how', ({ telling }) => {
  describe.skipIf('missing' in tool)('missing' in tool ? `skipped: ${tool.missing}` : 'end to end', () => {
    let setting: WatchedServer;
    beforeAll(async () => {
      if ('missing' in tool) return;
      setting = await watched(
        async ({ port }) => {
          const server = await startMoto(tool, port);
          const s3 = clientOf(server);
          await makeBuckets(s3, { uploads: 'versioned', plain: 'plain', quarantine: 'versioned' });
          const NotificationConfiguration = await telling(server);
          for (const Bucket of ['uploads', 'plain']) {
            await s3.send(
              new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }),
            );
          }
          s3.destroy();
          return server;
        },
        ({ port }) => {
          const address = `http://127.0.0.1:${port}`;
          return { SQS_ENDPOINT: address, SQS_QUEUE_URLS: `${address}/${MOTO_ACCOUNT}/${QUEUE}` };
        },
      );
    }, 120_000);
    afterAll(() => setting.close(), 60_000);
    describeFlow(() => setting, { kinds: ['versioned', 'plain'], differences });
  });
});
