import { z } from 'zod';
import { keyProblem } from '../object-key.js';
import type { Normalised } from '../s3-event.js';
import {
  combined,
  MAX_EVENTS,
  maybeText,
  nothing,
  reject,
  rejectIssues,
  text,
  type EventSource,
} from './source.js';

const Job = z.object({
  bucket: text(255).min(1),
  key: z.string(),
  version: maybeText(1024),
  versionId: maybeText(1024),
});

/** `{"objects":[{"bucket","key","version"?}]}`, bucketAV's job message: look at these unless they are known. */
export const scanJob: EventSource = {
  recognises: (message) => 'objects' in message,
  read(message) {
    const objects = message['objects'];
    if (!Array.isArray(objects) || objects.length === 0 || objects.length > MAX_EVENTS) {
      const wrong = `must be an array of 1 to ${MAX_EVENTS} objects`;
      return reject({ reason: 'invalid_event', path: 'objects', message: wrong, raw: message });
    }
    return combined(objects.map((object, index) => readJob(object, `objects[${index}]`)));
  },
};

function readJob(original: unknown, path: string): Normalised {
  const raw = { objects: [original] };
  const parsed = Job.safeParse(original);
  if (!parsed.success) return rejectIssues(parsed.error, path, raw);
  const { bucket, key, version, versionId } = parsed.data;
  const problem = keyProblem(key);
  if (problem !== undefined) {
    return reject({ reason: 'invalid_key', path: `${path}.key`, message: problem, bucket, raw });
  }
  return {
    ...nothing,
    events: [
      {
        kind: 'created',
        eventName: 'ScanJob',
        sourceKind: 'job',
        bucket,
        key,
        keyIsRaw: false,
        versionId: versionId ?? version,
        message: raw,
      },
    ],
  };
}
