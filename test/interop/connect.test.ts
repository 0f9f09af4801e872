import {
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliOf } from './cli-of.js';
import { installMoto, MOTO_ACCOUNT, startMoto } from './servers/moto.js';
import { makeBuckets } from './servers/s3-server.js';
import { clientOf } from './servers/s3-server.js';
import { watched, type WatchedServer } from './servers/watched-server.js';

const tool = await installMoto();

interface Plan {
  readonly digest: string;
  readonly queueUrl?: string;
  readonly steps: readonly { readonly id: string; readonly state: string; readonly why?: string }[];
  readonly notes: readonly string[];
}

describe.skipIf('missing' in tool)(
  `connecting a bucket of moto${'missing' in tool ? ` (skipped: ${tool.missing})` : ''}`,
  () => {
    let setting: WatchedServer;
    let sqs: SQSClient;
    let s3: S3Client;
    let topic: string;

    beforeAll(async () => {
      if ('missing' in tool) return;
      setting = await watched(
        async ({ port }) => {
          const server = await startMoto(tool, port);
          const client = clientOf(server);
          await makeBuckets(client, { uploads: 'versioned', plain: 'plain', quarantine: 'versioned' });
          client.destroy();
          return server;
        },
        ({ port }) => ({
          SQS_ENDPOINT: `http://127.0.0.1:${port}`,
          SQS_QUEUE_URLS: `http://127.0.0.1:${port}/${MOTO_ACCOUNT}/sallyport-uploads`,
        }),
      );
      s3 = setting.s3;
      const { endpoint, region, keys } = setting.server;
      sqs = new SQSClient({ endpoint, region, credentials: keys });
      const sns = new SNSClient({ endpoint, region, credentials: keys });
      topic = (await sns.send(new CreateTopicCommand({ Name: 'thumbnails' }))).TopicArn ?? '';
      sns.destroy();
    }, 120_000);
    afterAll(async () => {
      sqs.destroy();
      await setting.close();
    }, 60_000);

    const call = <T>(bucket: string, what: string, body: object = {}) =>
      setting.service.api<T>(`/api/v1/buckets/s3/${bucket}/connect/${what}`, { method: 'POST', body });
    const statesOf = ({ steps }: Plan) => steps.map(({ id, state }) => `${id} ${state}`);
    const notificationsOf = (Bucket: string) =>
      s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    const attributesOf = async (QueueName: string) => {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
      );
      return Attributes;
    };
    const DONE = ['dead-letter-queue done', 'queue done', 'notification done'];

    it('shows what is missing and changes nothing', async () => {
      const plan = await call<Plan>('uploads', 'plan');
      expect(statesOf(plan)).toEqual(['dead-letter-queue create', 'queue create', 'notification create']);
      expect((await notificationsOf('uploads')).QueueConfigurations).toBeUndefined();
      await expect(attributesOf('sallyport-uploads')).rejects.toThrow();
    });

    it('asks before it applies, and where nobody can be asked it says how to say yes', async () => {
      const asked = await cliOf(setting.service, 'connect', 's3://uploads');
      expect(asked).toMatchObject({ code: 2 });
      expect(asked.err).toContain('+ Queue sallyport-uploads');
      expect(asked.err).toContain('Say --yes');
      expect((await notificationsOf('uploads')).QueueConfigurations).toBeUndefined();
    });

    it('applies it beside what the bucket tells others, and a second time changes nothing', async () => {
      const theirs = {
        Id: 'thumbnails',
        TopicArn: topic,
        Events: ['s3:ObjectTagging:*' as const],
        Filter: { Key: { FilterRules: [{ Name: 'prefix' as const, Value: 'images/' }] } },
      };
      await s3.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket: 'uploads',
          NotificationConfiguration: { TopicConfigurations: [theirs] },
        }),
      );
      const applied = await cliOf(setting.service, 'connect', 's3://uploads', '--yes', '--json');
      expect(applied.code, applied.err + applied.out).toBe(0);
      const { examination } = JSON.parse(applied.out) as {
        examination: { diagnoses: { check: string; status: string }[] };
      };
      expect(examination.diagnoses.find(({ check }) => check === 'events')).toMatchObject({ status: 'ok' });
      const before = await notificationsOf('uploads');
      expect(before.TopicConfigurations).toMatchObject([{ Id: 'thumbnails', TopicArn: topic }]);
      expect(before.QueueConfigurations).toMatchObject([
        { Id: 'sallyport-uploads', QueueArn: `arn:aws:sqs:us-east-1:${MOTO_ACCOUNT}:sallyport-uploads` },
      ]);
      const queue = await attributesOf('sallyport-uploads');
      expect(queue).toMatchObject({ VisibilityTimeout: '120', MessageRetentionPeriod: '1209600' });
      expect(Number(queue['MaximumMessageSize'])).toBeGreaterThanOrEqual(262_144);
      expect(JSON.parse(queue['RedrivePolicy'] ?? '')).toMatchObject({
        deadLetterTargetArn: `arn:aws:sqs:us-east-1:${MOTO_ACCOUNT}:sallyport-uploads-dead`,
      });
      expect(JSON.parse(queue['Policy'] ?? '')).toMatchObject({
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 's3.amazonaws.com' },
            Condition: {
              ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::uploads' },
              StringEquals: { 'aws:SourceAccount': MOTO_ACCOUNT },
            },
          },
        ],
      });

      const again = await call<Plan>('uploads', 'apply');
      expect(statesOf(again)).toEqual(DONE);
      expect(await attributesOf('sallyport-uploads')).toMatchObject({ Policy: queue['Policy'] });
      const after = await notificationsOf('uploads');
      expect([after.QueueConfigurations, after.TopicConfigurations]).toEqual([
        before.QueueConfigurations,
        before.TopicConfigurations,
      ]);
    });

    it('applies only the plan that was looked at', async () => {
      const { digest } = await call<Plan>('plain', 'plan');
      await sqs.send(new CreateQueueCommand({ QueueName: 'sallyport-plain-dead' }));
      await expect(call('plain', 'apply', { digest })).rejects.toThrow(/Something changed since/);
    });

    it('takes up what broke off half-way, and mends a queue that was made otherwise', async () => {
      await sqs.send(
        new CreateQueueCommand({
          QueueName: 'sallyport-plain',
          Attributes: { MaximumMessageSize: '1024', VisibilityTimeout: '600' },
        }),
      );
      const plan = await call<Plan>('plain', 'plan');
      expect(statesOf(plan)).toEqual(['dead-letter-queue done', 'queue change', 'notification create']);
      const applied = await call<Plan>('plain', 'apply', { digest: plan.digest });
      expect(statesOf(applied)).toEqual(DONE);
      expect(await attributesOf('sallyport-plain')).toMatchObject({
        MaximumMessageSize: '262144',
        VisibilityTimeout: '600',
      });
      // It is not among SQS_QUEUE_URLS: that is left to do, and said.
      expect(applied.notes.join(' ')).toContain('Add http');
    });

    it('explains what is in the way, and prints the way through the bus', async () => {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'sallyport-plain' }));
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
      await s3.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket: 'plain',
          NotificationConfiguration: {
            TopicConfigurations: [{ Id: 'theirs', TopicArn: topic, Events: ['s3:ObjectCreated:*'] }],
          },
        }),
      );
      const shown = await cliOf(setting.service, 'connect', 'plain', '--yes');
      expect(shown).toMatchObject({ code: 1 });
      expect(shown.out).toContain('one place only');
      expect(shown.out).toContain('--via eventbridge');
      await expect(call('plain', 'apply')).rejects.toThrow(/one place only/);
      await expect(attributesOf('sallyport-plain')).rejects.toThrow();

      const printed = await cliOf(
        setting.service,
        'connect',
        'plain',
        '--via',
        'eventbridge',
        '--cloudformation',
        '--account',
        MOTO_ACCOUNT,
      );
      expect(printed.code, printed.err).toBe(0);
      expect(Object.keys((JSON.parse(printed.out) as { Resources: object }).Resources)).toContain(
        'EventRule',
      );
    });

    it('prints for Terraform what it would apply, with what is there', async () => {
      const printed = await cliOf(setting.service, 'connect', 's3://uploads', '--terraform');
      expect(printed.code, printed.err).toBe(0);
      const { resource } = JSON.parse(printed.out) as { resource: Record<string, Record<string, object>> };
      expect(resource['aws_s3_bucket_notification']?.['sallyport']).toMatchObject({
        topic: [{ id: 'thumbnails', topic_arn: topic, filter_prefix: 'images/' }],
      });
    });

    it('tells of uploads from then on', async () => {
      const { PutObjectCommand } = await import('@aws-sdk/client-s3');
      await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: 'after connecting.txt', Body: 'x' }));
      const { eventually } = await import('../support/eventually.js');
      await eventually(
        async () => {
          const { items } = await setting.service.api<{ items: unknown[] }>(
            `/api/v1/objects?bucket=uploads&key=${encodeURIComponent('after connecting.txt')}`,
          );
          return items.length === 1;
        },
        { timeoutMs: 45_000, what: 'the upload in the ledger' },
      );
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'sallyport-uploads' }));
      expect((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages ?? []).toEqual([]);
    }, 60_000);

    it('has the doctor say what does not work, and how it is mended', async () => {
      // Nobody tells of uploads to this one, and its policy hides nothing.
      const shown = await cliOf(setting.service, 'doctor', 's3://plain', '--wait', '1');
      expect(shown.code, shown.err).toBe(1);
      expect(shown.out).toMatch(/FAIL {2}events .*no event of the probe came in within 1 s/);
      expect(shown.out).toMatch(/> sallyport connect s3:\/\/plain/);
      expect(shown.out).toMatch(/warn {2}versioning/);
      expect(shown.out).toMatch(/warn {2}policy .*before their verdict/);
      expect(shown.out).toMatch(/warn {2}smtp /);
      const all = await cliOf(setting.service, 'doctor', 's3://uploads', '--json');
      expect(all.code, all.out).toBe(0);
      const { diagnoses } = JSON.parse(all.out) as { diagnoses: { check: string }[] };
      expect([...new Set(diagnoses.map(({ check }) => check))].sort()).toEqual([
        'clamd',
        'events',
        'kms',
        'permissions',
        'policy',
        'recursion',
        'slack',
        'smtp',
        'sqs',
        'versioning',
      ]);
      expect(await cliOf(setting.service, 'doctor', 's3://nowhere')).toMatchObject({ code: 2 });
    }, 60_000);

    it('prints the policy of the bucket, merged into what is there', async () => {
      const theirs = {
        Sid: 'DenyPlainHttp',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: 'arn:aws:s3:::uploads/*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      };
      await s3.send(
        new PutBucketPolicyCommand({
          Bucket: 'uploads',
          Policy: JSON.stringify({ Version: '2012-10-17', Statement: [theirs] }),
        }),
      );
      const scanner = 'arn:aws:iam::123456789012:role/sallyport';
      const printed = await cliOf(setting.service, 'bucket-policy', 's3://uploads', '--scanner', scanner);
      expect(printed.code, printed.err).toBe(0);
      const policy = JSON.parse(printed.out) as { Statement: { Sid: string }[] };
      expect(policy.Statement[0]).toEqual(theirs);
      expect(policy.Statement.map(({ Sid }) => Sid)).toContain('SallyportDenyReadUntilClean');
      expect(printed.err).toContain('ledger is the truth');
      // What was printed is what there is to be: nothing differs once it is put.
      await s3.send(new PutBucketPolicyCommand({ Bucket: 'uploads', Policy: printed.out }));
      const again = await setting.service.api<{ differs: boolean }>(
        `/api/v1/buckets/s3/uploads/policy?scanners=${encodeURIComponent(scanner)}`,
      );
      expect(again.differs).toBe(false);
      const refused = await cliOf(setting.service, 'bucket-policy', 's3://uploads');
      expect(refused).toMatchObject({ code: 2 });
      expect(refused.err).toContain('must name the role');
      const { diagnoses } = await setting.service.api<{
        diagnoses: { check: string; status: string }[];
      }>('/api/v1/doctor', { method: 'POST', body: { buckets: [{ bucket: 'uploads' }] } });
      expect(diagnoses.filter(({ check }) => check === 'policy').map(({ status }) => status)).toEqual([
        'ok',
        'ok',
      ]);
    });
  },
);
