import { EVENTS, filterOf, NOTIFICATION_ID, type NotificationTarget } from './notification.js';
import { bucketArn } from './partition.js';
import { MAX_RECEIVES, QUEUE_MINIMUM } from './queue-settings.js';
import type { Template } from './template.js';

/** A value of Terraform's JSON syntax. */
type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value };

/**
 * Terraform's JSON configuration syntax: save it as `sallyport-<bucket>.tf.json`. The bucket itself and its provider are
 * taken to be there.
 */
export function terraform(template: Template): string {
  const resources =
    template.via === 'sqs'
      ? {
          ...queueOf(template, 's3.amazonaws.com', literal(bucketArn(template.bucket, template.region))),
          ...notificationOf(template),
        }
      : {
          ...queueOf(template, 'events.amazonaws.com', '${aws_cloudwatch_event_rule.sallyport.arn}'),
          ...busOf(template),
        };
  const document = {
    '//': notesOf(template).join(' '),
    resource: {
      ...resources,
      aws_iam_policy: {
        sallyport: {
          name: template.queue,
          description:
            'What Sallyport needs for this bucket. Attach it to the role that the service works as.',
          policy: literal(JSON.stringify(template.servicePolicy)),
        },
      },
    },
    output: { sallyport_queue_url: { value: '${aws_sqs_queue.sallyport.url}' } },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function notesOf(template: Template): string[] {
  const notes = ['Set SQS_QUEUE_URLS of Sallyport to the output, and run: sallyport doctor.'];
  const others = othersOf(template);
  if (template.via === 'sqs' && others.length > 0) {
    notes.push(
      `aws_s3_bucket_notification is the whole of a bucket's notifications: the ${others.length} that were there are repeated here. Where another resource of yours declares them, put ours into that one instead.`,
    );
  }
  return notes;
}

function queueOf({ queue, dead, account }: Template, service: string, sourceArn: string) {
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'SallyportAllowS3',
        Effect: 'Allow',
        Principal: { Service: service },
        Action: 'sqs:SendMessage',
        Resource: '${aws_sqs_queue.sallyport.arn}',
        Condition: {
          ArnEquals: { 'aws:SourceArn': sourceArn },
          StringEquals: { 'aws:SourceAccount': account },
        },
      },
    ],
  };
  const redrive = {
    deadLetterTargetArn: '${aws_sqs_queue.sallyport_dead.arn}',
    maxReceiveCount: MAX_RECEIVES,
  };
  return {
    aws_sqs_queue: {
      sallyport_dead: {
        name: dead,
        message_retention_seconds: QUEUE_MINIMUM.MessageRetentionPeriod,
        max_message_size: QUEUE_MINIMUM.MaximumMessageSize,
        sqs_managed_sse_enabled: true,
      },
      sallyport: {
        name: queue,
        visibility_timeout_seconds: QUEUE_MINIMUM.VisibilityTimeout,
        message_retention_seconds: QUEUE_MINIMUM.MessageRetentionPeriod,
        max_message_size: QUEUE_MINIMUM.MaximumMessageSize,
        receive_wait_time_seconds: QUEUE_MINIMUM.ReceiveMessageWaitTimeSeconds,
        sqs_managed_sse_enabled: true,
        redrive_policy: JSON.stringify(redrive),
      },
    },
    aws_sqs_queue_policy: {
      sallyport: { queue_url: '${aws_sqs_queue.sallyport.url}', policy: JSON.stringify(policy) },
    },
  };
}

function notificationOf(template: Template): { readonly [name: string]: Value } {
  const { present, filter } = template;
  const blocks = (
    entries: readonly NotificationTarget[] | undefined,
    arnName: string,
    arnOf: (entry: NotificationTarget) => string | undefined,
  ) =>
    (entries ?? []).map((entry) => ({
      ...(entry.Id !== undefined && { id: literal(entry.Id) }),
      [arnName]: literal(arnOf(entry) ?? ''),
      events: [...(entry.Events ?? [])],
      ...filters(filterOf(entry)),
    }));
  const others = (present.QueueConfigurations ?? []).filter((entry) => !isOurs(entry, template));
  return {
    aws_s3_bucket_notification: {
      sallyport: {
        bucket: template.bucket,
        ...(present.EventBridgeConfiguration !== undefined && { eventbridge: true }),
        queue: [
          ...blocks(others, 'queue_arn', (entry) => entry.QueueArn),
          {
            id: NOTIFICATION_ID,
            queue_arn: '${aws_sqs_queue.sallyport.arn}',
            events: [...EVENTS],
            ...filters({ prefix: filter.prefix ?? '', suffix: filter.suffix ?? '' }),
          },
        ],
        topic: blocks(present.TopicConfigurations, 'topic_arn', (entry) => entry.TopicArn),
        lambda_function: blocks(
          present.LambdaFunctionConfigurations,
          'lambda_function_arn',
          (entry) => entry.LambdaFunctionArn,
        ),
        depends_on: ['aws_sqs_queue_policy.sallyport'],
      },
    },
  };
}

/** The bus must be turned on at the bucket, which is a setting of the notifications that are there. */
function busOf(template: Template): { readonly [name: string]: Value } {
  return {
    aws_cloudwatch_event_rule: {
      sallyport: { name: template.queue, event_pattern: literal(JSON.stringify(busPattern(template))) },
    },
    aws_cloudwatch_event_target: {
      sallyport: {
        rule: '${aws_cloudwatch_event_rule.sallyport.name}',
        arn: '${aws_sqs_queue.sallyport.arn}',
        dead_letter_config: { arn: '${aws_sqs_queue.sallyport_dead.arn}' },
      },
    },
  };
}

/** What the rule of the bus lets through. Filters on both ends of a key are combined as the bus can: by a wildcard. */
export function busPattern({ bucket, filter: { prefix = '', suffix = '' } }: Template) {
  const key =
    prefix !== '' && suffix !== ''
      ? { wildcard: `${wild(prefix)}*${wild(suffix)}` }
      : prefix !== ''
        ? { prefix }
        : suffix !== ''
          ? { suffix }
          : undefined;
  return {
    source: ['aws.s3'],
    'detail-type': ['Object Created', 'Object Deleted', 'Object Restore Completed'],
    detail: { bucket: { name: [bucket] }, ...(key !== undefined && { object: { key: [key] } }) },
  };
}

const wild = (text: string): string => text.replaceAll(/[\\*]/g, String.raw`\$&`);

const othersOf = (template: Template): readonly NotificationTarget[] => [
  ...(template.present.QueueConfigurations ?? []).filter((entry) => !isOurs(entry, template)),
  ...(template.present.TopicConfigurations ?? []),
  ...(template.present.LambdaFunctionConfigurations ?? []),
];

const isOurs = (entry: NotificationTarget, { queue }: Template): boolean =>
  entry.Id === NOTIFICATION_ID || entry.QueueArn?.endsWith(`:${queue}`) === true;

function filters({ prefix, suffix }: { readonly prefix: string; readonly suffix: string }) {
  return {
    ...(prefix !== '' && { filter_prefix: literal(prefix) }),
    ...(suffix !== '' && { filter_suffix: literal(suffix) }),
  };
}

/** Text that Terraform must not expand: a bucket's own settings may hold its markers. */
const literal = (text: string): string => text.replaceAll(/[$%](?=\{)/g, (mark) => mark + mark);
