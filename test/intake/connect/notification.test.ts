import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EVENTS,
  mergeNotifications,
  NOTIFICATION_ID,
  overlaps,
  withEventBridge,
  type NotificationTarget,
  type Notifications,
} from '../../../src/intake/connect/notification.js';

const QUEUE = 'arn:aws:sqs:eu-central-1:111122223333:sallyport-uploads';
const OTHER = 'arn:aws:sqs:eu-central-1:111122223333:other';

const filter = (prefix: string, suffix = ''): Pick<NotificationTarget, 'Filter'> => ({
  Filter: {
    Key: {
      // As S3 gives them back.
      FilterRules: [
        { Name: 'Prefix', Value: prefix },
        { Name: 'Suffix', Value: suffix },
      ],
    },
  },
});

const affix = fc.constantFrom('', 'a', 'ab', 'b', 'a/', 'a/b');
const entry: fc.Arbitrary<NotificationTarget> = fc
  .tuple(
    affix,
    affix,
    fc.subarray(
      ['s3:ObjectCreated:*', 's3:ObjectCreated:Put', 's3:ObjectRemoved:Delete', 's3:ObjectTagging:*'],
      { minLength: 1 },
    ),
  )
  .map(([prefix, suffix, Events]) => ({ Id: 'theirs', QueueArn: OTHER, Events, ...filter(prefix, suffix) }));
const present: fc.Arbitrary<Notifications> = fc.record(
  {
    QueueConfigurations: fc.array(entry, { maxLength: 3 }),
    TopicConfigurations: fc.array(
      entry.map(({ QueueArn, ...rest }) => ({ ...rest, TopicArn: QueueArn ?? '' })),
      { maxLength: 2 },
    ),
    EventBridgeConfiguration: fc.constant({}),
  },
  { requiredKeys: [] },
);

describe('merging a notification', () => {
  it('keeps everything that is there, and changes nothing the second time', () => {
    fc.assert(
      fc.property(present, affix, affix, (before, prefix, suffix) => {
        const wish = { queueArn: QUEUE, prefix, suffix };
        const merge = mergeNotifications(before, wish);
        if (merge.kind !== 'changed') {
          expect(merge.kind).toBe('conflict');
          return;
        }
        const { after } = merge;
        expect(after.QueueConfigurations?.filter(({ QueueArn }) => QueueArn !== QUEUE)).toEqual(
          before.QueueConfigurations ?? [],
        );
        expect(after.TopicConfigurations).toEqual(before.TopicConfigurations);
        expect(after.EventBridgeConfiguration).toEqual(before.EventBridgeConfiguration);
        expect(mergeNotifications(after, wish)).toEqual({ kind: 'unchanged' });
      }),
    );
  });

  it('never makes two entries that tell of the same event of the same key', () => {
    fc.assert(
      fc.property(present, affix, affix, (before, prefix, suffix) => {
        const merge = mergeNotifications(before, { queueArn: QUEUE, prefix, suffix });
        if (merge.kind !== 'changed') return;
        const all = [...(merge.after.QueueConfigurations ?? []), ...(merge.after.TopicConfigurations ?? [])];
        const ours = all.find(({ QueueArn }) => QueueArn === QUEUE);
        const key = `${prefix}x${suffix}`;
        const tells = (one: NotificationTarget) =>
          key.startsWith(one.Filter?.Key?.FilterRules?.[0]?.Value ?? '') &&
          key.endsWith(one.Filter?.Key?.FilterRules?.[1]?.Value ?? '') &&
          (one.Events ?? []).some((event) => /ObjectCreated/.test(event));
        expect(all.filter((one) => one !== ours && tells(one))).toEqual([]);
      }),
    );
  });

  it('takes our own earlier entry for ours, by its queue or its id, and replaces it in its place', () => {
    const theirs = { Id: 'theirs', TopicArn: 't', Events: ['s3:ObjectTagging:*'] };
    const before = {
      QueueConfigurations: [
        { Id: 'by hand', QueueArn: QUEUE, Events: ['s3:ObjectCreated:Put'] },
        { Id: 'x', QueueArn: OTHER, Events: ['s3:ObjectTagging:*'] },
      ],
      TopicConfigurations: [theirs],
    };
    const merge = mergeNotifications(before, { queueArn: QUEUE });
    expect(merge).toEqual({
      kind: 'changed',
      after: {
        QueueConfigurations: [
          { Id: NOTIFICATION_ID, QueueArn: QUEUE, Events: [...EVENTS] },
          before.QueueConfigurations[1],
        ],
        TopicConfigurations: [theirs],
      },
    });
  });

  it('names what is in the way, with its part of the keys', () => {
    const before = {
      LambdaFunctionConfigurations: [
        {
          Id: 'thumbnails',
          LambdaFunctionArn: 'arn:lambda',
          Events: ['s3:ObjectCreated:*'],
          ...filter('images/', '.jpg'),
        },
      ],
    };
    expect(mergeNotifications(before, { queueArn: QUEUE })).toEqual({
      kind: 'conflict',
      with: [
        {
          id: 'thumbnails',
          target: 'arn:lambda',
          events: ['s3:ObjectCreated:*'],
          prefix: 'images/',
          suffix: '.jpg',
        },
      ],
    });
    expect(mergeNotifications(before, { queueArn: QUEUE, prefix: 'incoming/' }).kind).toBe('changed');
    expect(withEventBridge(before)).toEqual({
      kind: 'changed',
      after: { ...before, EventBridgeConfiguration: {} },
    });
  });

  it('finds two entries overlapping whichever is asked first', () => {
    fc.assert(fc.property(entry, entry, (a, b) => overlaps(a, b) === overlaps(b, a)));
  });
});
