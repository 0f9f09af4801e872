import type { QueueState } from '../../s3/queue-setup.js';
import {
  EVENTS,
  mergeNotifications,
  type NotificationConflict,
  type Notifications,
  type NotificationWish,
} from './notification.js';
import {
  allowBucket,
  deadQueueAttributes,
  MAX_RECEIVES,
  queueChanges,
  type QueueAttributes,
} from './queue-settings.js';

/** What was read of a bucket and its queues. */
export interface Present {
  readonly bucket: string;
  readonly region: string;
  /** Of the bucket; that of the queue where nobody names another. */
  readonly account: string | undefined;
  readonly notifications: Notifications;
  readonly queue: QueueState | undefined;
  readonly dead: QueueState | undefined;
  readonly names: { readonly queue: string; readonly dead: string };
}

export interface Change {
  readonly name: string;
  /** Null where there is nothing yet. */
  readonly before: string | null;
  readonly after: string;
}

/** One thing to be there. `done`: it is. `blocked`: S3 would refuse it, and `why` says what can be done. */
export interface Step {
  readonly id: 'dead-letter-queue' | 'queue' | 'notification';
  readonly title: string;
  readonly state: 'done' | 'create' | 'change' | 'blocked';
  readonly changes: readonly Change[];
  readonly why?: string | undefined;
}

// Stands for what is known only when the queue is made.
const UNKNOWN = '000000000000';

/** The difference between what is there and what is wanted, in the order in which it is applied. Pure. */
export function planOf(
  present: Present,
  filter: Pick<NotificationWish, 'prefix' | 'suffix'>,
): readonly Step[] {
  return [deadStep(present), queueStep(present), notificationStep(present, filter)];
}

export const deadArnOf = ({ dead, names, region, account }: Present): string =>
  dead?.arn ?? `arn:aws:sqs:${region}:${account ?? UNKNOWN}:${names.dead}`;

export const queueArnOf = ({ queue, names, region, account }: Present): string =>
  queue?.arn ?? `arn:aws:sqs:${region}:${account ?? UNKNOWN}:${names.queue}`;

/** What the queue is to be given now. */
export const wantedOfQueue = (present: Present): QueueAttributes =>
  queueChanges(present.queue?.attributes, {
    deadArn: deadArnOf(present),
    policy: allowBucket({
      bucket: present.bucket,
      region: present.region,
      account: present.account ?? UNKNOWN,
      queueArn: queueArnOf(present),
    }),
  });

function deadStep({ dead, queue, names }: Present): Step {
  const title = `Queue of dead letters ${names.dead}`;
  const theirs = queue?.attributes['RedrivePolicy'] ?? '';
  if (dead !== undefined) return { id: 'dead-letter-queue', title, state: 'done', changes: [] };
  if (theirs !== '' && !theirs.includes(`:${names.dead}"`)) {
    const why = 'the queue sends its dead letters elsewhere already';
    return { id: 'dead-letter-queue', title, state: 'done', changes: [], why };
  }
  return {
    id: 'dead-letter-queue',
    title,
    state: 'create',
    changes: changesOf(undefined, deadQueueAttributes()),
  };
}

function queueStep(present: Present): Step {
  const { queue, names } = present;
  const title = `Queue ${names.queue}, ${MAX_RECEIVES} deliveries before a message is a dead letter, written to by this bucket alone`;
  const changes = changesOf(queue?.attributes, wantedOfQueue(present));
  const state = queue === undefined ? 'create' : changes.length > 0 ? 'change' : 'done';
  return { id: 'queue', title, state, changes };
}

function notificationStep(present: Present, filter: Pick<NotificationWish, 'prefix' | 'suffix'>): Step {
  const title = `Notification of the bucket, among those that are there: ${EVENTS.join(', ')}`;
  const merge = mergeNotifications(present.notifications, { queueArn: queueArnOf(present), ...filter });
  if (merge.kind === 'unchanged') return { id: 'notification', title, state: 'done', changes: [] };
  if (merge.kind === 'conflict') {
    return { id: 'notification', title, state: 'blocked', changes: [], why: explained(merge.with) };
  }
  const before = present.notifications.QueueConfigurations ?? [];
  const isNew = (merge.after.QueueConfigurations?.length ?? 0) > before.length;
  const ours = merge.after.QueueConfigurations?.find(({ QueueArn }) => QueueArn === queueArnOf(present));
  const replaced = before.find((entry) => merge.after.QueueConfigurations?.includes(entry) !== true);
  const change = {
    name: 'QueueConfiguration',
    before: replaced === undefined ? null : JSON.stringify(replaced),
    after: JSON.stringify(ours),
  };
  return { id: 'notification', title, state: isNew ? 'create' : 'change', changes: [change] };
}

function explained(conflicts: readonly NotificationConflict[]): string {
  const named = conflicts.map(({ id, target, prefix, suffix }) => {
    const keys = prefix === '' && suffix === '' ? 'all keys' : `keys ${prefix}*${suffix}`;
    return `"${id}" tells ${target} of ${keys}`;
  });
  return [
    `S3 tells an event of a key to one place only, and ${named.join('; ')}.`,
    'Either name keys that the other does not have (--prefix, --suffix);',
    'or let the other go to an SNS topic, to which both its target and our queue are subscribed;',
    'or take EventBridge, which tells as many as like: --via eventbridge --terraform (or --cloudformation).',
  ].join(' ');
}

const changesOf = (before: QueueAttributes | undefined, after: QueueAttributes): readonly Change[] =>
  Object.entries(after).map(([name, value]) => ({ name, before: before?.[name] ?? null, after: value }));
