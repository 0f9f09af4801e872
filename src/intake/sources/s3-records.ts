import { z } from 'zod';
import { decodeFormKey, keyProblem } from '../object-key.js';
import type { Normalised, S3Event, SourceKind } from '../s3-event.js';
import { meaningOf, withoutPrefix } from './event-name.js';
import {
  combined,
  instantOf,
  MAX_EVENTS,
  maybeText,
  nothing,
  reject,
  rejectIssues,
  text,
  unquoted,
  type EventSource,
} from './source.js';

/** The record of S3's notifications, which MinIO, versitygw, Ceph and others imitate. Unknown fields are ignored. */
const EventRecord = z.object({
  // 2.0 is MinIO's; AWS sends 2.1 and up and adds fields, never takes one away within major version 2.
  eventVersion: z
    .string()
    .regex(/^2\.\d{1,3}$/, 'must be version 2.x')
    .nullish(),
  eventSource: maybeText(100),
  eventName: text(100).min(1),
  eventTime: maybeText(64),
  userIdentity: z.record(z.string(), z.unknown()).nullish(),
  s3: z.object({
    bucket: z.object({ name: text(255).min(1) }),
    object: z.object({
      key: z.string(),
      size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish(),
      eTag: maybeText(256),
      versionId: maybeText(1024),
      // s3rver sends a number.
      sequencer: z
        .union([text(256), z.number()])
        .nullish()
        .transform((value) => (value === null || value === '' ? undefined : value)),
    }),
  }),
});
type EventRecord = z.infer<typeof EventRecord>;

/** `{"Records": […]}`: every record of the message, each judged by itself. */
export const s3Records: EventSource = {
  recognises: (message) => 'Records' in message,
  read(message) {
    const records = message['Records'];
    if (!Array.isArray(records)) {
      return reject({ reason: 'invalid_event', path: 'Records', message: 'must be an array', raw: message });
    }
    if (records.length === 0 || records.length > MAX_EVENTS) {
      const wrong = `must hold 1 to ${MAX_EVENTS} records, not ${records.length}`;
      return reject({ reason: 'invalid_event', path: 'Records', message: wrong, raw: message });
    }
    return combined(records.map((record, index) => readRecord(record, `Records[${index}]`)));
  },
};

function readRecord(original: unknown, path: string): Normalised {
  const raw = { Records: [original] };
  const parsed = EventRecord.safeParse(original);
  if (!parsed.success) return rejectIssues(parsed.error, path, raw);
  const record = parsed.data;
  const sourceKind = sourceOf(record);
  if (sourceKind === undefined) {
    const message = `${record.eventSource} is not an S3 source`;
    return reject({ reason: 'not_s3', path: `${path}.eventSource`, message, raw });
  }
  const eventName = withoutPrefix(record.eventName);
  const meaning = meaningOf(eventName);
  if (meaning === 'ignored') return { ...nothing, ignored: 1 };
  if (meaning === 'unknown') {
    const message = `${record.eventName} is not an event that we know`;
    return reject({ reason: 'unknown_event', path: `${path}.eventName`, message, raw });
  }
  const { bucket, object } = record.s3;
  // versitygw (1.8.0) sends the key as it is: "a+b.txt" and "100%25.txt" are names, not encodings.
  const { key, isRaw } =
    sourceKind === 'versitygw' ? { key: object.key, isRaw: false } : decodeFormKey(object.key);
  const problem = keyProblem(key);
  if (problem !== undefined) {
    const at = `${path}.s3.object.key`;
    return reject({ reason: 'invalid_key', path: at, message: problem, bucket: bucket.name, raw });
  }
  const event: S3Event = {
    kind: meaning,
    eventName,
    sourceKind: typeof object.sequencer === 'number' ? 'other' : sourceKind,
    bucket: bucket.name,
    key,
    keyIsRaw: isRaw,
    versionId: object.versionId,
    eTag: unquoted(object.eTag),
    sizeBytes: object.size ?? undefined,
    sequencer: object.sequencer === undefined ? undefined : String(object.sequencer),
    eventTime: instantOf(record.eventTime),
    principal: principalOf(record),
    message: raw,
  };
  return { ...nothing, events: [event] };
}

function principalOf({ userIdentity }: EventRecord): string | undefined {
  const said = userIdentity?.['principalId'] ?? userIdentity?.['PrincipalId'];
  return typeof said === 'string' && said !== '' ? said.slice(0, 500) : undefined;
}

function sourceOf(record: EventRecord): SourceKind | undefined {
  const source = record.eventSource ?? 'other';
  if (source === 'minio:s3') return 'minio';
  if (source === 'ceph:s3') return 'ceph';
  // versitygw says aws:s3 too, and betrays itself by Go's spelling of a field.
  if (source === 'aws:s3') return 'PrincipalId' in (record.userIdentity ?? {}) ? 'versitygw' : 'aws';
  return /^(other|[\w.-]+:s3)$/.test(source) ? 'other' : undefined;
}
