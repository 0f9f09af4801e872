import { describe, expect, it } from 'vitest';
import { cloudFormation } from '../../../src/intake/connect/cloudformation.js';
import {
  allowBucket,
  deadQueueAttributes,
  queueChanges,
  queueNames,
} from '../../../src/intake/connect/queue-settings.js';
import { kmsKeys } from '../../../src/intake/connect/kms-keys.js';
import { servicePolicy } from '../../../src/intake/connect/service-policy.js';
import { busPattern, terraform } from '../../../src/intake/connect/terraform.js';
import type { Template } from '../../../src/intake/connect/template.js';

const ARN = 'arn:aws:sqs:eu-central-1:111122223333:sallyport-uploads';
const right = {
  bucket: 'uploads',
  region: 'eu-central-1',
  actionMode: 'quarantine' as const,
  quarantineBucket: 'held',
  queueArns: [ARN, `${ARN}-dead`],
  kmsKeyArns: ['arn:aws:kms:eu-central-1:111122223333:key/1'],
  probePrefix: '.sallyport/doctor/',
};
const template: Template = {
  bucket: 'uploads',
  region: 'eu-central-1',
  account: '111122223333',
  queue: 'sallyport-uploads',
  dead: 'sallyport-uploads-dead',
  via: 'sqs',
  filter: { prefix: 'in/' },
  present: {
    QueueConfigurations: [{ Id: 'x', QueueArn: 'arn:other', Events: ['s3:ObjectTagging:*'] }],
    TopicConfigurations: [
      {
        Id: '${evil}',
        TopicArn: 'arn:topic',
        Events: ['s3:ObjectCreated:*'],
        Filter: { Key: { FilterRules: [{ Name: 'Prefix', Value: 'out/%{x}' }] } },
      },
    ],
    EventBridgeConfiguration: {},
  },
  servicePolicy: servicePolicy(right),
};

/** Everything of a template that refers to another part of it. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'Ref') return [String(inner)];
    if (key === 'Fn::GetAtt') return [String((inner as string[])[0])];
    return references(inner);
  });
}

describe('the queue of a bucket', () => {
  it('has a name that SQS takes, its own for every bucket', () => {
    expect(queueNames('uploads')).toEqual({ queue: 'sallyport-uploads', dead: 'sallyport-uploads-dead' });
    const names = ['a.b', 'a-b', 'x'.repeat(63), `${'x'.repeat(62)}y`].map((bucket) => queueNames(bucket));
    for (const { queue, dead } of names) {
      expect(queue).toMatch(/^[A-Za-z0-9_-]{1,80}$/);
      expect(dead).toMatch(/^[A-Za-z0-9_-]{1,80}$/);
    }
    expect(new Set(names.map(({ queue }) => queue)).size).toBe(names.length);
  });

  const policy = allowBucket({
    bucket: 'uploads',
    region: 'eu-central-1',
    account: '111122223333',
    queueArn: ARN,
  });
  const wanted = { deadArn: `${ARN}-dead`, policy };

  it('is made with room for outages, dead letters, and a policy for this bucket of this account alone', () => {
    const made = queueChanges(undefined, wanted);
    expect(made).toMatchObject({
      VisibilityTimeout: '120',
      MaximumMessageSize: '262144',
      MessageRetentionPeriod: '1209600',
    });
    expect(JSON.parse(made['RedrivePolicy'] ?? '')).toMatchObject({ deadLetterTargetArn: `${ARN}-dead` });
    expect(JSON.parse(made['Policy'] ?? '')).toMatchObject({
      Statement: [
        {
          Principal: { Service: 's3.amazonaws.com' },
          Condition: {
            ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::uploads' },
            StringEquals: { 'aws:SourceAccount': '111122223333' },
          },
        },
      ],
    });
    expect(deadQueueAttributes()['MessageRetentionPeriod']).toBe('1209600');
  });

  it('is changed no more once it is so, and never lowered', () => {
    const made = queueChanges(undefined, wanted);
    expect(queueChanges(made, wanted)).toEqual({});
    const generous = { ...made, VisibilityTimeout: '900', MaximumMessageSize: '1048576' };
    expect(queueChanges(generous, wanted)).toEqual({});
    expect(queueChanges({ ...made, MaximumMessageSize: '1024' }, wanted)).toEqual({
      MaximumMessageSize: '262144',
    });
  });

  it('keeps the redrive policy and the statements that others gave it', () => {
    const theirs = { Sid: 'Theirs', Effect: 'Allow', Principal: '*', Action: 'sqs:*', Resource: ARN };
    const made = {
      ...queueChanges(undefined, wanted),
      RedrivePolicy: '{"deadLetterTargetArn":"arn:theirs","maxReceiveCount":3}',
      Policy: JSON.stringify({ Version: '2012-10-17', Statement: [theirs] }),
    };
    const changes = queueChanges(made, wanted);
    expect(Object.keys(changes)).toEqual(['Policy']);
    expect(JSON.parse(changes['Policy'] ?? '')).toMatchObject({ Statement: [theirs, policy] });
  });
});

describe('the rights of the service', () => {
  const actionsOf = (mode: 'observe' | 'tag' | 'quarantine') =>
    servicePolicy({ ...right, actionMode: mode }).Statement.flatMap(({ Action, Resource }) =>
      (Action as string[]).map((action) => `${action} ${String(Resource)}`),
    );

  it('grow with what the bucket asks for, and hold no wildcard action', () => {
    const [observe, tag, quarantine] = [actionsOf('observe'), actionsOf('tag'), actionsOf('quarantine')];
    const uploads = 'arn:aws:s3:::uploads/*';
    expect(observe).not.toContain(`s3:PutObjectTagging ${uploads}`);
    expect(tag).toContain(`s3:PutObjectTagging ${uploads}`);
    expect(tag).not.toContain(`s3:DeleteObjectVersion ${uploads}`);
    expect(quarantine).toContain(`s3:DeleteObjectVersion ${uploads}`);
    expect(quarantine).toContain('s3:PutObject arn:aws:s3:::held/*');
    expect(tag.join()).not.toContain('held');
    for (const action of [...observe, ...tag, ...quarantine]) expect(action.split(' ')[0]).not.toContain('*');
  });

  it('hold what copies in parts need, in both buckets, and what names the versions there', () => {
    const quarantine = actionsOf('quarantine');
    for (const bucket of ['uploads', 'held']) {
      for (const action of ['ListBucketVersions', 'ListBucketMultipartUploads'])
        expect(quarantine).toContain(`s3:${action} arn:aws:s3:::${bucket}`);
      for (const action of ['AbortMultipartUpload', 'ListMultipartUploadParts'])
        expect(quarantine).toContain(`s3:${action} arn:aws:s3:::${bucket}/*`);
    }
    expect(actionsOf('tag').join()).not.toContain('Multipart');
  });

  it('let data be encrypted in every mode: the doctor puts a probe', () => {
    for (const mode of ['observe', 'tag', 'quarantine'] as const) {
      expect(actionsOf(mode)).toContain(`kms:GenerateDataKey ${right.kmsKeyArns.join()}`);
    }
  });

  it('are for the keys that the buckets encrypt with, also where nobody named them', () => {
    const key = (name: string) => `arn:aws:kms:eu-central-1:111122223333:key/${name}`;
    const byKms = (bucket: string, kmsKey?: string) => ({
      bucket,
      encryption: { algorithm: 'aws:kms', kmsKey },
    });
    expect(kmsKeys([key('1')], [byKms('uploads', key('1')), byKms('held', key('2'))])).toEqual({
      arns: [key('1'), key('2')],
      notes: [],
    });
    expect(kmsKeys([], [byKms('uploads'), { bucket: 'held', encryption: undefined }])).toEqual({
      arns: [],
      notes: [],
    });
    const { arns, notes } = kmsKeys(
      [],
      [
        byKms('uploads', 'alias/uploads'),
        { bucket: 'held', encryption: undefined, unread: 'denied_get_encryption_configuration' },
      ],
    );
    expect(arns).toEqual([]);
    expect(notes).toEqual([
      expect.stringMatching(/uploads is encrypted with alias\/uploads.*--kms-key/),
      expect.stringMatching(/held.*denied_get_encryption_configuration/),
    ]);
  });

  it('use the encryption key through S3 alone', () => {
    const statement = servicePolicy(right).Statement.find(({ Sid }) => Sid === 'SallyportDecryptThroughS3');
    expect(statement).toMatchObject({
      Resource: right.kmsKeyArns,
      Condition: { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } },
    });
    expect(servicePolicy({ ...right, kmsKeyArns: [] }).Statement.map(({ Sid }) => Sid)).not.toContain(
      'SallyportDecryptThroughS3',
    );
  });
});

describe('Terraform', () => {
  it('declares queues, policy, notification and rights, and repeats what the bucket tells others', () => {
    const { resource, output } = JSON.parse(terraform(template)) as {
      resource: Record<string, Record<string, Record<string, unknown>>>;
      output: Record<string, unknown>;
    };
    expect(Object.keys(resource).sort()).toEqual([
      'aws_iam_policy',
      'aws_s3_bucket_notification',
      'aws_sqs_queue',
      'aws_sqs_queue_policy',
    ]);
    expect(resource['aws_s3_bucket_notification']?.['sallyport']).toMatchObject({
      bucket: 'uploads',
      eventbridge: true,
      queue: [
        { id: 'x', queue_arn: 'arn:other', events: ['s3:ObjectTagging:*'] },
        { id: 'sallyport-uploads', queue_arn: '${aws_sqs_queue.sallyport.arn}', filter_prefix: 'in/' },
      ],
      // What a bucket's own settings hold is text, never an expression.
      topic: [{ id: '$${evil}', topic_arn: 'arn:topic', filter_prefix: 'out/%%{x}' }],
    });
    const policy = JSON.parse(String(resource['aws_sqs_queue_policy']?.['sallyport']?.['policy'])) as {
      Statement: object[];
    };
    expect(policy.Statement[0]).toMatchObject({
      Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
    });
    expect(output).toHaveProperty('sallyport_queue_url');
  });

  it('goes through the bus where that is asked for, and leaves the notification alone', () => {
    const { resource } = JSON.parse(terraform({ ...template, via: 'eventbridge' })) as {
      resource: Record<string, unknown>;
    };
    expect(resource).toHaveProperty('aws_cloudwatch_event_target');
    expect(resource).not.toHaveProperty('aws_s3_bucket_notification');
  });
});

describe('CloudFormation', () => {
  it.each(['sqs', 'eventbridge'] as const)(
    'is a whole template by %s: every reference is to a resource of its own',
    (via) => {
      const whole = JSON.parse(cloudFormation({ ...template, via })) as {
        AWSTemplateFormatVersion: string;
        Resources: Record<string, { Type: string; Properties: object }>;
      };
      expect(whole.AWSTemplateFormatVersion).toBe('2010-09-09');
      for (const { Type, Properties } of Object.values(whole.Resources)) {
        expect(Type).toMatch(/^AWS::(SQS::Queue|SQS::QueuePolicy|IAM::ManagedPolicy|Events::Rule)$/);
        expect(Properties).toBeTypeOf('object');
      }
      for (const name of references(whole)) expect(whole.Resources).toHaveProperty([name]);
      expect(Object.hasOwn(whole.Resources, 'EventRule')).toBe(via === 'eventbridge');
    },
  );
});

describe('a rule of the bus', () => {
  it('lets through this bucket and these keys', () => {
    expect(busPattern(template).detail).toEqual({
      bucket: { name: ['uploads'] },
      object: { key: [{ prefix: 'in/' }] },
    });
    expect(busPattern({ ...template, filter: { prefix: 'a*', suffix: '.z' } }).detail).toMatchObject({
      object: { key: [{ wildcard: 'a\\**.z' }] },
    });
    expect(busPattern({ ...template, filter: {} }).detail).toEqual({ bucket: { name: ['uploads'] } });
  });
});
