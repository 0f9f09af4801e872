import { z } from 'zod';
import { keyProblem } from '../object-key.js';
import type { EventKind, Normalised } from '../s3-event.js';
import {
  instantOf,
  maybeText,
  nothing,
  reject,
  rejectIssues,
  text,
  unquoted,
  type EventSource,
} from './source.js';

const BridgeEvent = z.object({
  'detail-type': text(200).min(1),
  source: text(100),
  time: maybeText(64),
  detail: z.object({
    // Newer than the rest, and of the same meaning: within major version 1 fields are only added.
    'event-version': z
      .string()
      .regex(/^1\.\d{1,3}$/, 'must be version 1.x')
      .nullish(),
    bucket: z.object({ name: text(255).min(1) }),
    object: z.object({
      key: z.string(),
      size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish(),
      etag: maybeText(256),
      'version-id': maybeText(1024),
      sequencer: maybeText(256),
    }),
    'deletion-type': maybeText(100),
    // `PutObject`, `CopyObject`, `DeleteObject`, `Lifecycle Expiration` …
    reason: maybeText(100),
    // An account or a service; never the role that did it.
    requester: maybeText(200),
  }),
});
type BridgeEvent = z.infer<typeof BridgeEvent>;

/** Amazon EventBridge's envelope. Hyphenated names; the key is NOT form-encoded, decoding it would spoil `+` and `%`. */
export const eventBridge: EventSource = {
  recognises: (message) => 'detail-type' in message,
  read(message): Normalised {
    if (message['source'] !== 'aws.s3') {
      const path = 'source';
      return reject({ reason: 'not_s3', path, message: 'must be aws.s3', raw: message });
    }
    const detailType = message['detail-type'];
    if (typeof detailType === 'string' && NOT_CONTENT.test(detailType)) return { ...nothing, ignored: 1 };
    const parsed = BridgeEvent.safeParse(message);
    if (!parsed.success) return rejectIssues(parsed.error, '', message);
    const event = parsed.data;
    const kind = kindOf(event);
    if (kind === undefined) {
      const wrong = `${event['detail-type']} is not an event that we know`;
      return reject({ reason: 'unknown_event', path: 'detail-type', message: wrong, raw: message });
    }
    const { bucket, object } = event.detail;
    const problem = keyProblem(object.key);
    if (problem !== undefined) {
      const path = 'detail.object.key';
      return reject({ reason: 'invalid_key', path, message: problem, bucket: bucket.name, raw: message });
    }
    return {
      ...nothing,
      events: [
        {
          kind,
          eventName: eventNameOf(event),
          sourceKind: 'eventbridge',
          bucket: bucket.name,
          key: object.key,
          keyIsRaw: false,
          versionId: object['version-id'],
          eTag: unquoted(object.etag),
          sizeBytes: object.size ?? undefined,
          sequencer: object.sequencer,
          eventTime: instantOf(event.time),
          principal: event.detail.requester,
          message,
        },
      ],
    };
  },
};

/** `Object Created (CopyObject)`: the detail type with its reason, where one is told. */
const eventNameOf = ({ 'detail-type': detailType, detail }: BridgeEvent): string =>
  detail.reason === undefined ? detailType : `${detailType} (${detail.reason})`;

const NOT_CONTENT =
  /^Object (Restore Initiated|Restore Expired|Storage Class Changed|Access Tier Changed|ACL Updated|Tags Added|Tags Deleted|Annotation .*)$/;

function kindOf(event: BridgeEvent): EventKind | undefined {
  switch (event['detail-type']) {
    case 'Object Created':
      return 'created';
    case 'Object Restore Completed':
      return 'restored';
    case 'Object Deleted':
      return event.detail['deletion-type'] === 'Delete Marker Created' ? 'marker' : 'deleted';
    default:
      return undefined;
  }
}
