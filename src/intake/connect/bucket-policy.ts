import { InvalidInput } from '../../errors.js';
import { bucketArn } from './partition.js';
import { withStatements, type PolicyDocument, type Statement } from './policy-document.js';

/** What the policy of a bucket of uploads is to say. */
export interface BucketPolicyWish {
  readonly bucket: string;
  readonly region: string;
  /** The tag that says clean, in the style that the service writes, and the values that let readers in. */
  readonly verdict: { readonly key: string; readonly clean: readonly string[] };
  /** The style has no word for what the bucket requires: only what is released can be read. */
  readonly isNeverClean: boolean;
  /** The tag that the service writes on what a person released, whatever its verdict. */
  readonly released: { readonly key: string; readonly value: string };
  /** Every key that only the service may write. */
  readonly reservedKeys: readonly string[];
  /** ARNs of the roles or users as whom the service works; `*` matches. At least one, or the service locks itself out. */
  readonly scanners: readonly string[];
  /** ARNs that read and tag in spite of it all. */
  readonly breakGlass: readonly string[];
  /** People other than the service may tag objects, but with none of our keys. */
  readonly othersMayTag: boolean;
}

/** Names of our statements: by them they are found again and replaced. */
export const SIDS = {
  read: 'SallyportDenyReadUntilClean',
  write: 'SallyportDenyForgedVerdictOnWrite',
  tag: 'SallyportDenyTagging',
  untag: 'SallyportDenyUntagging',
} as const;

// S3's own limit, in bytes.
const MAX_POLICY_BYTES = 20_480;

/**
 * The bucket's policy with ours merged into it: nobody but the service and those of the break-glass list reads what is
 * neither tagged clean nor tagged as released by a person, and nobody else writes the tags that say so.
 *
 * @throws InvalidInput when no scanner is named, an ARN is none, or the policy would be larger than S3 allows.
 */
export function bucketPolicy(present: PolicyDocument, wish: BucketPolicyWish): PolicyDocument {
  const trusted = [...new Set([...wish.scanners, ...wish.breakGlass])];
  if (wish.scanners.length === 0) {
    throw InvalidInput.field(
      'scanners',
      'must name the role or user of the service, or it could read nothing itself',
    );
  }
  for (const list of ['scanners', 'breakGlass'] as const) {
    for (const arn of wish[list]) refuseUnusable(list, arn);
  }
  const policy = withStatements(present, statements(wish, trusted), Object.values(SIDS));
  const bytes = Buffer.byteLength(JSON.stringify(policy));
  if (bytes > MAX_POLICY_BYTES) {
    throw new InvalidInput(
      `The policy would have ${bytes} bytes, and S3 takes ${MAX_POLICY_BYTES}. Name fewer principals, or shorten what is there.`,
    );
  }
  return policy;
}

function statements(wish: BucketPolicyWish, trusted: readonly string[]): (Statement & { Sid: string })[] {
  const Resource = `${bucketArn(wish.bucket, wish.region)}/*`;
  const deny = (Sid: string, Action: readonly string[], Condition: Readonly<Record<string, unknown>>) => ({
    Sid,
    Effect: 'Deny' as const,
    Principal: '*',
    Action,
    Resource,
    // The key is missing for requests without a signature: they are nobody trusted, and denied too.
    Condition: { ...Condition, ArnNotLike: { 'aws:PrincipalArn': trusted } },
  });
  const forged = { 'ForAnyValue:StringEquals': { 's3:RequestObjectTagKeys': wish.reservedKeys } };
  return [
    // An object without the tags is denied: a negated comparison holds where the key is missing, and all must hold.
    deny(SIDS.read, ['s3:GetObject', 's3:GetObjectVersion'], {
      StringNotEquals: {
        [`s3:ExistingObjectTag/${wish.verdict.key}`]: oneOrList(wish.verdict.clean),
        [`s3:ExistingObjectTag/${wish.released.key}`]: wish.released.value,
      },
    }),
    deny(SIDS.write, ['s3:PutObject'], forged),
    // Whole, as a rule: a copy brings the tags of its source along without naming them in the request.
    deny(SIDS.tag, ['s3:PutObjectTagging', 's3:PutObjectVersionTagging'], wish.othersMayTag ? forged : {}),
    deny(SIDS.untag, ['s3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging'], {}),
  ];
}

const oneOrList = (values: readonly string[]) => (values.length === 1 ? values[0] : values);

/** What the policy cannot do, each a sentence for whoever applies it. */
export function limitsOf(
  wish: Pick<BucketPolicyWish, 'verdict' | 'isNeverClean' | 'released' | 'othersMayTag' | 'scanners'>,
): readonly string[] {
  return [
    `Until its verdict is written, an upload can be read by nobody but the principals named; a verdict other than "${wish.verdict.clean.join('" or "')}" stays so until a person releases the object.`,
    `What a person released carries ${wish.released.key}=${wish.released.value} beside its verdict, and everybody reads it who could without this policy; an object that has ten tags of others has no room for it and stays hidden (tags_full). A scan that judges it anew takes it away.`,
    'The tag is a copy of the verdict: the ledger is the truth. Whoever may write as the service or change this policy can forge it.',
    wish.othersMayTag
      ? 'Others may tag. A copy within S3 brings the tags of its source along, so a copy of a clean or released object reads as such until its own scan ends; leave this option out to close that.'
      : 'Others may not tag at all, not even at upload: S3 does not tell the tags that a copy brings along, so only a ban of tagging keeps the tag of a clean or released object from travelling.',
    'Versions are judged one by one: a reader who names a version reads it only when that version is clean or released.',
    'What left the bucket is out of its reach: replicas, caches of a CDN, copies made while it was clean, listings and metadata.',
    'Pre-signed URLs are refused as whoever signed them would be. Accounts of a break-glass list should be watched.',
    ...(wish.isNeverClean
      ? [
          'The bucket requires secrets alone, and GuardDuty has no word for that: its uploads are UNSUPPORTED and stay hidden until a person releases them. VERDICT_TAG_STYLE=sallyport tells them apart.',
        ]
      : []),
    ...(wish.scanners.some((arn) => arn.includes('*'))
      ? ['A scanner is named with a wildcard: whoever can make a role that matches can forge verdicts.']
      : []),
  ];
}

/** ARNs of IAM only: a session's own (`sts … assumed-role`) is not what aws:PrincipalArn holds. */
function refuseUnusable(list: 'scanners' | 'breakGlass', arn: string): void {
  if (/^arn:aws(-cn|-us-gov)?:iam::(\d{12}|\*):(role|user)\/[\w+=,.@*?/-]{1,512}$/.test(arn)) return;
  if (/^arn:aws(-cn|-us-gov)?:iam::\d{12}:root$/.test(arn)) return;
  const hint = arn.includes(':assumed-role/')
    ? 'it names a session; name the role: arn:aws:iam::<account>:role/<name>'
    : 'it must be arn:aws:iam::<account>:role/<name>, …:user/<name> or …:root';
  throw InvalidInput.field(list, `${arn.slice(0, 200)} cannot be used: ${hint}`);
}
