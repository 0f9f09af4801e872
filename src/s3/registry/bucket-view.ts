import { z } from 'zod';
import { bucketNameProblem } from './bucket-name.js';
import type { RegisteredBucket } from './registered.js';

const storable = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !value.includes('\u0000') && value.isWellFormed(), 'must not contain NUL');
const bucketName = z.string().superRefine((name, context) => {
  const message = bucketNameProblem(name);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});
const bound = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

const ActionModes = z.enum(['observe', 'tag', 'quarantine']);
const Engines = z
  .array(z.enum(['secrets', 'malware']))
  .min(1, 'must name at least one engine, or nothing would be looked at before it is called clean')
  .max(2)
  .refine((names) => new Set(names).size === names.length, 'must name each once');
const Quotas = z.strictObject({
  maxRunning: bound.max(1_000_000).nullish(),
  maxRunningBytes: bound.nullish(),
});

const account = z.string().regex(/^\d{12}$/, 'must be the 12 digits of an AWS account');

const settable = {
  actionMode: ActionModes,
  /** `clean` is said only when every one of these looked at every byte. */
  required: Engines,
  /** On the same endpoint; needed for the action mode `quarantine`. */
  quarantineBucket: bucketName.nullable(),
  ownerGroup: storable(200).nullable(),
  /** The group that is asked; everybody who may decide when null. */
  reviewers: storable(200).nullable(),
  /** Of its uploads, higher first; the trigger rule's when null. */
  priority: z.int().min(0).max(99).nullable(),
  quotas: Quotas.nullable(),
  /** Tried on encrypted archives. They can be set and never read. */
  archivePasswords: z.array(storable(200)).max(50),
  /** AWS account that must own the bucket. */
  expectedOwner: account.nullable(),
  /** AWS account that must own the quarantine bucket. */
  quarantineOwner: account.nullable(),
  requesterPays: z.boolean(),
  enabled: z.boolean(),
};

export const NewBucket = z
  .strictObject({
    endpointId: z.string().min(1).max(63),
    bucket: bucketName,
    ...z.object(settable).partial().shape,
  })
  .meta({ id: 'NewBucket' });
export type NewBucket = z.infer<typeof NewBucket>;

export const BucketPatch = z
  .strictObject({ version: z.int().min(1).optional(), ...z.object(settable).partial().shape })
  .meta({ id: 'BucketPatch' });
export type BucketPatch = z.infer<typeof BucketPatch>;

export const BucketView = z
  .object({
    endpointId: z.string(),
    bucket: z.string(),
    actionMode: ActionModes,
    required: z.array(z.enum(['secrets', 'malware'])),
    quarantineBucket: z.string().nullable(),
    ownerGroup: z.string().nullable(),
    reviewers: z.string().nullable(),
    priority: z.number().nullable(),
    quotas: z.object({ maxRunning: z.number().nullable(), maxRunningBytes: z.number().nullable() }),
    archivePasswordCount: z.number(),
    expectedOwner: z.string().nullable(),
    quarantineOwner: z.string().nullable(),
    requesterPays: z.boolean(),
    enabled: z.boolean(),
    /** `configuration`: follows S3_BUCKETS and its companions until somebody changes it here. */
    managedBy: z.enum(['configuration', 'people']),
    version: z.number(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    updatedBy: z.string(),
  })
  .meta({ id: 'Bucket' });
export type BucketView = z.infer<typeof BucketView>;

/** What a change is answered with: registering goes through where S3 does not know the bucket, and says so. */
export const ChangedBucket = BucketView.extend({ warnings: z.array(z.string()).optional() }).meta({
  id: 'ChangedBucket',
});
export type ChangedBucket = z.infer<typeof ChangedBucket>;

export const BucketPage = z
  .object({ items: z.array(BucketView), nextCursor: z.string().optional() })
  .meta({ id: 'BucketPage' });
export type BucketPage = z.infer<typeof BucketPage>;

/** A bucket as the API and the audit show it: without what is sealed. */
export const bucketView = (bucket: RegisteredBucket): BucketView => ({
  endpointId: bucket.endpointId,
  bucket: bucket.bucket,
  actionMode: bucket.actionMode,
  required: [...bucket.required],
  quarantineBucket: bucket.quarantineBucket ?? null,
  ownerGroup: bucket.ownerGroup ?? null,
  reviewers: bucket.reviewers ?? null,
  priority: bucket.priority ?? null,
  quotas: {
    maxRunning: bucket.quotas?.maxRunning ?? null,
    maxRunningBytes: bucket.quotas?.maxRunningBytes ?? null,
  },
  archivePasswordCount: bucket.archivePasswordCount,
  expectedOwner: bucket.expectedOwner ?? null,
  quarantineOwner: bucket.quarantineOwner ?? null,
  requesterPays: bucket.requesterPays,
  enabled: bucket.enabled,
  managedBy: bucket.managedBy,
  version: bucket.version,
  createdAt: new Date(bucket.createdAt).toISOString(),
  updatedAt: new Date(bucket.updatedAt).toISOString(),
  updatedBy: bucket.updatedBy,
});
