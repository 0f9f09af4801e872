import type { Alert } from '../outbound/alerts.js';
import { COUNTED, type BucketDenial, type DeniedObjects } from './sql/bucket-denials.js';

/** S3 keeps no key of theirs: a matter of each object's uploader, which no right of ours mends. */
const OF_THE_UPLOADER: readonly string[] = ['sse_c_key_needed'];

/** Whether somebody who runs the service can mend it; pure. */
export const isMendable = (reason: string): boolean => !OF_THE_UPLOADER.includes(reason);

const placeOf = ({ endpoint_id, bucket }: BucketDenial): string => `${endpoint_id}/${bucket}`;

/** What mends a refusal, by its reason; docs/operating.md has the table. Pure. */
export function remedyOf({ reason, bucket }: Pick<BucketDenial, 'reason' | 'bucket'>): string {
  // No s3:// in it: a mail shows that as `s3[:]//`, which nobody could paste.
  const again = 'then scan again what was refused: sallyport rescan --verdicts denied';
  if (reason === 'requester_pays')
    return `Consent to pay for requests (sallyport bucket set ${bucket} --requester-pays on), ${again}`;
  if (reason.startsWith('denied_kms'))
    return `Grant the right that is named in the policy of the bucket's KMS key and to the service's identity, ${again}`;
  if (reason.startsWith('kms_key'))
    return `Enable the KMS key, or cancel its deletion: nobody can read the objects without it; ${again}`;
  return `Grant the right that is named: sallyport connect ${bucket} prints all that are needed, sallyport doctor ${bucket} proves them; ${again}`;
}

/** The mail about one bucket, whatever the number of its objects; pure. */
export function alertOf(denial: BucketDenial, groups: readonly DeniedObjects[], at: number): Alert {
  const { bucket, first_at: firstAt, reason, detail } = denial;
  const told = groups.map(({ count, key, ...why }) => {
    const more = count >= COUNTED ? ' or more' : '';
    return `${why.reason}, ${count}${more} object(s), for example ${key}: ${why.detail ?? 'S3 does not say what is missing.'}`;
  });
  return {
    key: `denied:${placeOf(denial)}:${at}`,
    subject: `objects of ${bucket} may not be read (${reason})`,
    lines: [
      `Since ${new Date(firstAt).toISOString()} S3 refuses scans of ${placeOf(denial)}: these objects are not scanned, their verdict is "denied".`,
      // Judged anew meanwhile, none may be left.
      ...(told.length > 0 ? told : [`${reason}: ${detail ?? 'S3 does not say what is missing.'}`]),
    ],
    remedy: `${remedyOf(denial)}. Nothing more is said of this bucket for a week, unless it was mended in between.`,
  };
}

/** The line of /health about one bucket; pure. */
export const healthOf = (denial: BucketDenial) => ({
  name: `denied:${placeOf(denial)}`,
  healthy: true,
  degraded: true,
  detail: `scans are refused since ${new Date(denial.first_at).toISOString()} (${denial.reason}): ${denial.detail ?? 'S3 does not say what is missing'}`,
  remedy: remedyOf(denial),
});
