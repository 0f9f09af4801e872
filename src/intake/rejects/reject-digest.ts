import type { Alert } from '../../outbound/alerts.js';
import type { RejectGroup } from '../sql/rejects.js';

/** What to do about each reason, in the order of the flow. */
const REMEDIES: Readonly<Record<string, string>> = {
  unknown_bucket: 'register the bucket, or stop its source from telling of it',
  not_json: 'look at what sends it; a source of another kind may use the token or the queue',
  unknown_shape: 'look at what sends it; no known source sends this shape',
  not_storable: 'look at the log of that time; this is a fault of the service',
  invalid_key: 'look at the object’s name; S3 itself has no such one',
};

/** One mail about everything that came, however much it was. */
export function digestOf(groups: readonly RejectGroup[]): Omit<Alert, 'key'> {
  const total = groups.reduce((sum, { rejects }) => sum + rejects, 0);
  return {
    subject: `${total} event message(s) could not be used`,
    lines: [
      'These were kept with their reasons. What they told of is not scanned until they are taken in again.',
      ...groups.map(({ source_kind: source, reason, rejects, bucket, message }) => {
        const remedy = REMEDIES[reason];
        return `${rejects} by ${source}: ${reason}${bucket === null ? '' : ` (bucket ${bucket})`}. ${message}${
          remedy === undefined ? '' : `. Remedy: ${remedy}`
        }`;
      }),
    ],
    remedy:
      'sallyport rejects list shows them, sallyport rejects replay takes them in again once the reason is mended.',
  };
}
