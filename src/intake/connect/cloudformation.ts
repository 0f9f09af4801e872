import { EVENTS } from './notification.js';
import { bucketArn } from './partition.js';
import { MAX_RECEIVES, QUEUE_MINIMUM } from './queue-settings.js';
import { busPattern } from './terraform.js';
import type { Template } from './template.js';

/**
 * A CloudFormation template in JSON: the queues, who may write to them, and the rights of the service. A stack cannot
 * change a bucket of another stack, so the bucket's own notification stands in the metadata, to be put into its template;
 * with EventBridge nothing but its switch is needed there.
 */
export function cloudFormation(template: Template): string {
  const { via } = template;
  const source =
    via === 'sqs' ? bucketArn(template.bucket, template.region) : { 'Fn::GetAtt': ['EventRule', 'Arn'] };
  const document = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `What Sallyport needs to hear of uploads to ${template.bucket}.`,
    Metadata: {
      BucketNotificationConfiguration:
        via === 'sqs'
          ? queueNotification(template)
          : { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      Hint: 'Add BucketNotificationConfiguration to the NotificationConfiguration of the bucket, beside what is there. Set SQS_QUEUE_URLS of Sallyport to the output QueueUrl, and run: sallyport doctor.',
    },
    Resources: {
      DeadLetterQueue: {
        Type: 'AWS::SQS::Queue',
        Properties: {
          QueueName: template.dead,
          MessageRetentionPeriod: QUEUE_MINIMUM.MessageRetentionPeriod,
          MaximumMessageSize: QUEUE_MINIMUM.MaximumMessageSize,
          SqsManagedSseEnabled: true,
        },
      },
      EventQueue: {
        Type: 'AWS::SQS::Queue',
        Properties: {
          QueueName: template.queue,
          ...QUEUE_MINIMUM,
          SqsManagedSseEnabled: true,
          RedrivePolicy: {
            deadLetterTargetArn: { 'Fn::GetAtt': ['DeadLetterQueue', 'Arn'] },
            maxReceiveCount: MAX_RECEIVES,
          },
        },
      },
      EventQueuePolicy: {
        Type: 'AWS::SQS::QueuePolicy',
        Properties: {
          Queues: [{ Ref: 'EventQueue' }],
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Sid: 'SallyportAllowS3',
                Effect: 'Allow',
                Principal: { Service: via === 'sqs' ? 's3.amazonaws.com' : 'events.amazonaws.com' },
                Action: 'sqs:SendMessage',
                Resource: { 'Fn::GetAtt': ['EventQueue', 'Arn'] },
                Condition: {
                  ArnEquals: { 'aws:SourceArn': source },
                  StringEquals: { 'aws:SourceAccount': template.account },
                },
              },
            ],
          },
        },
      },
      ...(via === 'eventbridge' && { EventRule: eventRule(template) }),
      ServicePolicy: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: {
          ManagedPolicyName: template.queue,
          Description:
            'What Sallyport needs for this bucket. Attach it to the role that the service works as.',
          PolicyDocument: template.servicePolicy,
        },
      },
    },
    Outputs: {
      QueueUrl: { Value: { Ref: 'EventQueue' } },
      ServicePolicyArn: { Value: { Ref: 'ServicePolicy' } },
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function queueNotification({ filter: { prefix = '', suffix = '' } }: Template) {
  const Rules = [
    ...(prefix === '' ? [] : [{ Name: 'prefix', Value: prefix }]),
    ...(suffix === '' ? [] : [{ Name: 'suffix', Value: suffix }]),
  ];
  return {
    QueueConfigurations: EVENTS.map((Event) => ({
      Event,
      Queue: { 'Fn::GetAtt': ['EventQueue', 'Arn'] },
      ...(Rules.length > 0 && { Filter: { S3Key: { Rules } } }),
    })),
  };
}

const eventRule = (template: Template) => ({
  Type: 'AWS::Events::Rule',
  Properties: {
    Name: template.queue,
    EventPattern: busPattern(template),
    Targets: [
      {
        Id: 'sallyport',
        Arn: { 'Fn::GetAtt': ['EventQueue', 'Arn'] },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['DeadLetterQueue', 'Arn'] } },
      },
    ],
  },
});
