import type { ActionMode } from '../../s3/buckets.js';
import { bucketArn, partitionOf } from './partition.js';
import type { PolicyDocument, Statement } from './policy-document.js';

export interface ServicePolicyWish {
  readonly bucket: string;
  readonly region: string;
  readonly actionMode: ActionMode;
  readonly quarantineBucket?: string | undefined;
  /** With those of the queue of dead letters; none where events come another way. */
  readonly queueArns: readonly string[];
  /** Keys of the key management service that the buckets' objects are encrypted with, the quarantine's too. */
  readonly kmsKeyArns: readonly string[];
  /** Below it the doctor puts the object by which it proves events. */
  readonly probePrefix: string;
}

/** The least rights with which the service does for this bucket what its policy asks; nothing with a wildcard action. */
export function servicePolicy(wish: ServicePolicyWish): PolicyDocument {
  const arn = bucketArn(wish.bucket, wish.region);
  const writes = wish.actionMode !== 'observe';
  const moves = wish.actionMode === 'quarantine';
  const statements: Statement[] = [
    allow('SallyportLookAtBucket', arn, [
      's3:ListBucket',
      's3:ListBucketVersions',
      's3:GetBucketLocation',
      's3:GetBucketVersioning',
      's3:GetBucketNotification',
      's3:GetBucketPolicy',
      's3:GetEncryptionConfiguration',
      ...(moves ? [FIND_BROKEN_COPIES] : []),
    ]),
    allow('SallyportReadUploads', `${arn}/*`, [
      's3:GetObject',
      's3:GetObjectVersion',
      's3:GetObjectTagging',
      's3:GetObjectVersionTagging',
      ...(writes ? ['s3:PutObjectTagging', 's3:PutObjectVersionTagging'] : []),
      // Deletes what was copied to quarantine, and puts back what a person releases.
      ...(moves
        ? [
            's3:PutObject',
            's3:AbortMultipartUpload',
            's3:ListMultipartUploadParts',
            's3:DeleteObject',
            's3:DeleteObjectVersion',
          ]
        : []),
    ]),
    ...(moves
      ? []
      : [
          allow('SallyportProbe', `${arn}/${wish.probePrefix}*`, [
            's3:PutObject',
            's3:DeleteObject',
            's3:DeleteObjectVersion',
          ]),
        ]),
  ];
  if (moves && wish.quarantineBucket !== undefined) {
    const quarantine = bucketArn(wish.quarantineBucket, wish.region);
    statements.push(
      allow('SallyportLookAtQuarantine', quarantine, [
        's3:ListBucket',
        's3:ListBucketVersions',
        FIND_BROKEN_COPIES,
        's3:GetBucketVersioning',
        's3:GetBucketNotification',
        's3:GetEncryptionConfiguration',
      ]),
      allow('SallyportKeepQuarantine', `${quarantine}/*`, [
        's3:PutObject',
        's3:PutObjectTagging',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
        's3:GetObject',
        's3:GetObjectVersion',
        's3:GetObjectTagging',
        's3:GetObjectVersionTagging',
        's3:DeleteObject',
        's3:DeleteObjectVersion',
      ]),
    );
  }
  if (wish.queueArns.length > 0) {
    statements.push(
      allow('SallyportTakeEvents', wish.queueArns, [
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:ChangeMessageVisibility',
        'sqs:GetQueueAttributes',
        'sqs:GetQueueUrl',
      ]),
    );
  }
  if (wish.kmsKeyArns.length > 0) {
    const suffix = partitionOf(wish.region) === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
    statements.push({
      // Whatever is written needs a data key: copies, what is released, and in any mode the doctor's probe.
      ...allow('SallyportDecryptThroughS3', wish.kmsKeyArns, ['kms:Decrypt', 'kms:GenerateDataKey']),
      Condition: { StringEquals: { 'kms:ViaService': `s3.${wish.region}.${suffix}` } },
    });
  }
  return { Version: '2012-10-17', Statement: statements };
}

/** A copy in parts that was killed before its id was noted is found by its key alone. */
const FIND_BROKEN_COPIES = 's3:ListBucketMultipartUploads';

const allow = (Sid: string, Resource: string | readonly string[], Action: readonly string[]): Statement => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource,
});
