import { isSame } from './queue-settings.js';

/** One place that a bucket tells of its events, as S3 keeps it. */
export interface NotificationTarget {
  readonly Id?: string | undefined;
  readonly QueueArn?: string | undefined;
  readonly TopicArn?: string | undefined;
  readonly LambdaFunctionArn?: string | undefined;
  readonly Events?: readonly string[] | undefined;
  readonly Filter?:
    | {
        readonly Key?:
          | {
              readonly FilterRules?:
                | readonly { readonly Name?: string | undefined; readonly Value?: string | undefined }[]
                | undefined;
            }
          | undefined;
      }
    | undefined;
}

/** A bucket's notifications; what is not known here is carried along. */
export interface Notifications {
  readonly QueueConfigurations?: readonly NotificationTarget[] | undefined;
  readonly TopicConfigurations?: readonly NotificationTarget[] | undefined;
  readonly LambdaFunctionConfigurations?: readonly NotificationTarget[] | undefined;
  readonly EventBridgeConfiguration?: object | undefined;
}

/** The events that the service wants to hear of. */
export const EVENTS = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:ObjectRestore:Completed'] as const;

/** Id of our entry; by it, or by the queue, it is found again. */
export const NOTIFICATION_ID = 'sallyport-uploads';

export interface NotificationWish {
  readonly queueArn: string;
  /** Keys that begin so; all when absent. */
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
}

/** What stands in the way: S3 tells an event of a key to one place only. */
export interface NotificationConflict {
  readonly id: string;
  readonly target: string;
  readonly events: readonly string[];
  readonly prefix: string;
  readonly suffix: string;
}

export type NotificationMerge =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed'; readonly after: Notifications }
  | { readonly kind: 'conflict'; readonly with: readonly NotificationConflict[] };

/** Puts our entry among those that are there. None of the others is changed or left out. */
export function mergeNotifications(present: Notifications, wish: NotificationWish): NotificationMerge {
  const ours = entryOf(wish);
  const queues = present.QueueConfigurations ?? [];
  const earlier = queues.find(isOurs(wish));
  if (earlier !== undefined && isSame(comparable(earlier), comparable(ours))) return { kind: 'unchanged' };
  const others = [
    ...queues.filter((entry) => entry !== earlier),
    ...(present.TopicConfigurations ?? []),
    ...(present.LambdaFunctionConfigurations ?? []),
  ];
  const conflicts = others.filter((other) => overlaps(other, ours));
  if (conflicts.length > 0) return { kind: 'conflict', with: conflicts.map(conflictOf) };
  const QueueConfigurations =
    earlier === undefined ? [...queues, ours] : queues.map((entry) => (entry === earlier ? ours : entry));
  return { kind: 'changed', after: { ...present, QueueConfigurations } };
}

/** Turns EventBridge on, beside whatever is there; it conflicts with nothing. */
export function withEventBridge(present: Notifications): NotificationMerge {
  if (present.EventBridgeConfiguration !== undefined) return { kind: 'unchanged' };
  return { kind: 'changed', after: { ...present, EventBridgeConfiguration: {} } };
}

/** Whether S3 would refuse both: a common event, and a key that both would tell of. */
export function overlaps(a: NotificationTarget, b: NotificationTarget): boolean {
  const [left, right] = [filterOf(a), filterOf(b)];
  const isOneKey =
    isEither(left.prefix, right.prefix, (long, short) => long.startsWith(short)) &&
    isEither(left.suffix, right.suffix, (long, short) => long.endsWith(short));
  return isOneKey && (a.Events ?? []).some((one) => (b.Events ?? []).some((other) => meets(one, other)));
}

function entryOf({ queueArn, prefix = '', suffix = '' }: NotificationWish): NotificationTarget {
  const FilterRules = [
    ...(prefix === '' ? [] : [{ Name: 'prefix', Value: prefix }]),
    ...(suffix === '' ? [] : [{ Name: 'suffix', Value: suffix }]),
  ];
  return {
    Id: NOTIFICATION_ID,
    QueueArn: queueArn,
    Events: [...EVENTS],
    ...(FilterRules.length > 0 && { Filter: { Key: { FilterRules } } }),
  };
}

/** By the queue first: whoever set it up by hand gave it another id. */
const isOurs =
  ({ queueArn }: NotificationWish) =>
  (entry: NotificationTarget): boolean =>
    entry.QueueArn === queueArn || entry.Id === NOTIFICATION_ID;

const comparable = (entry: NotificationTarget) => ({
  queue: entry.QueueArn,
  events: [...(entry.Events ?? [])].sort(),
  ...filterOf(entry),
});

export function filterOf(entry: NotificationTarget): { readonly prefix: string; readonly suffix: string } {
  const rules = entry.Filter?.Key?.FilterRules ?? [];
  // S3 gives the names back with a capital.
  const value = (name: string) => rules.find((rule) => rule.Name?.toLowerCase() === name)?.Value ?? '';
  return { prefix: value('prefix'), suffix: value('suffix') };
}

const conflictOf = (entry: NotificationTarget): NotificationConflict => ({
  id: entry.Id ?? '',
  target: entry.QueueArn ?? entry.TopicArn ?? entry.LambdaFunctionArn ?? '',
  events: entry.Events ?? [],
  ...filterOf(entry),
});

const isEither = (a: string, b: string, holds: (a: string, b: string) => boolean): boolean =>
  holds(a, b) || holds(b, a);

/** `s3:ObjectCreated:*` meets `s3:ObjectCreated:Put`. */
const meets = (a: string, b: string): boolean =>
  a === b ||
  (a.endsWith('*') && b.startsWith(a.slice(0, -1))) ||
  (b.endsWith('*') && a.startsWith(b.slice(0, -1)));
