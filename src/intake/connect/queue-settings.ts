import { uuid5 } from '../../uuid5.js';
import { bucketArn } from './partition.js';
import { readPolicy, withStatements, type Statement } from './policy-document.js';

/** Attributes of a queue as SQS names and spells them. */
export type QueueAttributes = Readonly<Record<string, string>>;

/**
 * What an event queue has at least. Taking a batch in is one transaction of milliseconds; two minutes leave room for a
 * database that is being failed over. S3's largest event has 64 KB, with SNS around it more.
 */
export const QUEUE_MINIMUM = {
  VisibilityTimeout: 120,
  MessageRetentionPeriod: 14 * 86_400,
  MaximumMessageSize: 262_144,
  ReceiveMessageWaitTimeSeconds: 20,
} as const;

/** So many deliveries before a message goes to the dead-letter queue; a database away for an hour must not fill it. */
export const MAX_RECEIVES = 50;

// SQS's own limit.
const MAX_NAME = 80;

/** `sallyport-<bucket>`, and `…-dead` for the queue of dead letters; other characters become `-`. */
export function queueNames(bucket: string): { readonly queue: string; readonly dead: string } {
  const plain = bucket.replaceAll(/[^A-Za-z0-9_-]/g, '-');
  const whole = `sallyport-${plain}`;
  const isExact = plain === bucket && `${whole}-dead`.length <= MAX_NAME;
  const queue = isExact ? whole : `${whole.slice(0, MAX_NAME - 5 - 9)}-${uuid5('queue', bucket).slice(0, 8)}`;
  return { queue, dead: `${queue}-dead` };
}

/** Statement ids take letters and digits only; buckets that share a queue have one each. */
const sidOf = (bucket: string): string =>
  `SallyportAllowS3${uuid5('statement', bucket).replaceAll('-', '').slice(0, 16)}`;

/** Who may put messages into the queue: this bucket of this account, and nobody through S3 on behalf of another. */
export function allowBucket(args: {
  readonly bucket: string;
  readonly region: string;
  readonly account: string;
  readonly queueArn: string;
}): Statement & { readonly Sid: string } {
  return {
    Sid: sidOf(args.bucket),
    Effect: 'Allow',
    Principal: { Service: 's3.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: args.queueArn,
    Condition: {
      ArnEquals: { 'aws:SourceArn': bucketArn(args.bucket, args.region) },
      StringEquals: { 'aws:SourceAccount': args.account },
    },
  };
}

/** What a new queue of dead letters is made with. */
export const deadQueueAttributes = (): QueueAttributes => ({
  MessageRetentionPeriod: String(QUEUE_MINIMUM.MessageRetentionPeriod),
  MaximumMessageSize: String(QUEUE_MINIMUM.MaximumMessageSize),
  SqsManagedSseEnabled: 'true',
});

/**
 * What is to be set on the queue, beside what it has: nothing is lowered, an own redrive policy stays, and statements of
 * others in its policy stay. Empty when all is well.
 */
export function queueChanges(
  present: QueueAttributes | undefined,
  wanted: { readonly deadArn: string; readonly policy: Statement & { readonly Sid: string } },
): QueueAttributes {
  const changes: Record<string, string> = {};
  for (const [name, minimum] of Object.entries(QUEUE_MINIMUM)) {
    const has = present?.[name];
    if (has === undefined || Number(has) < minimum) changes[name] = String(minimum);
  }
  if ((present?.['RedrivePolicy'] ?? '') === '') {
    changes['RedrivePolicy'] = JSON.stringify({
      deadLetterTargetArn: wanted.deadArn,
      maxReceiveCount: MAX_RECEIVES,
    });
  }
  if (present === undefined) changes['SqsManagedSseEnabled'] = 'true';
  const policy = readPolicy(present?.['Policy'], "The queue's policy");
  const merged = withStatements(policy, [wanted.policy]);
  if (!isSame(policy, merged)) changes['Policy'] = JSON.stringify(merged);
  return changes;
}

/** Equal as JSON, whatever the order of the keys. */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, ordered(inner)]),
  );
}
