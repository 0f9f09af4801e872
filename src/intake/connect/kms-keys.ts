import type { BucketEncryption } from '../../s3/bucket-settings.js';

/** How new objects of a bucket are encrypted; the reason, where that could not be read. */
export interface FoundEncryption {
  readonly bucket: string;
  readonly encryption: BucketEncryption | undefined;
  readonly unread?: string | undefined;
}

export interface KmsKeys {
  /** Of keys, not of aliases: a policy's Resource takes no alias. */
  readonly arns: readonly string[];
  readonly notes: readonly string[];
}

/**
 * The keys that the service must be able to use: those that were named, and those that its buckets encrypt with. Without
 * a key's name S3 takes the account's own for S3, which needs no right. Pure.
 */
export function kmsKeys(named: readonly string[], found: readonly FoundEncryption[]): KmsKeys {
  const arns = new Set(named);
  const notes: string[] = [];
  for (const { bucket, encryption, unread } of found) {
    if (unread !== undefined) {
      notes.push(
        `How ${bucket} is encrypted could not be read (${unread}): name a KMS key of it with --kms-key.`,
      );
    }
    const key = encryption?.algorithm.startsWith('aws:kms') === true ? encryption.kmsKey : undefined;
    if (key === undefined) continue;
    if (KEY_ARN.test(key)) arns.add(key);
    else if (named.length === 0)
      notes.push(`${bucket} is encrypted with ${key}: name that key's own ARN with --kms-key.`);
  }
  return { arns: [...arns], notes };
}

const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]{1,128}$/;
