import { z } from 'zod';

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine(
      (value) => !value.includes('\u0000') && value.isWellFormed(),
      'must not contain NUL or lone surrogates',
    );

/** What somebody wants of a bucket's events. */
export const ConnectWish = z
  .strictObject({
    prefix: text(1024).optional(),
    suffix: text(1024).optional(),
    queueName: z
      .string()
      .regex(
        /^[A-Za-z0-9_-]{1,75}$/,
        'must be 1 to 75 letters, digits, - or _; FIFO queues take no events of S3',
      )
      .optional(),
    account: z
      .string()
      .regex(/^\d{12}$/, 'must be an AWS account id: 12 digits')
      .optional(),
    kmsKeyArns: z
      .array(
        z
          .string()
          .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]{1,128}$/, 'must be the ARN of a KMS key'),
      )
      .max(10)
      .default([]),
  })
  .meta({ id: 'ConnectWish' });
export type ConnectWish = z.infer<typeof ConnectWish>;

export const ApplyWish = ConnectWish.extend({
  /** Of the plan that was looked at; when something changed since, nothing is applied. */
  digest: z.string().max(64).optional(),
}).meta({ id: 'ConnectApply' });

export const TemplateWish = ConnectWish.extend({
  format: z.enum(['terraform', 'cloudformation']),
  via: z.enum(['sqs', 'eventbridge']).default('sqs'),
}).meta({ id: 'ConnectTemplateRequest' });
export type TemplateWish = z.infer<typeof TemplateWish>;

const StepView = z.object({
  id: z.enum(['dead-letter-queue', 'queue', 'notification']),
  title: z.string(),
  state: z.enum(['done', 'create', 'change', 'blocked']),
  changes: z.array(z.object({ name: z.string(), before: z.string().nullable(), after: z.string() })),
  why: z.string().optional(),
});

export const ConnectPlanView = z
  .object({
    endpointId: z.string(),
    bucket: z.string(),
    /** `sqs`: applied here. `webhook`: set up at the server. `embedded`: nothing to do. */
    kind: z.enum(['sqs', 'webhook', 'embedded']),
    region: z.string().optional(),
    account: z.string().optional(),
    queueUrl: z.string().optional(),
    steps: z.array(StepView),
    digest: z.string().optional(),
    /** The least rights of the service, to be attached to its role. */
    servicePolicy: z.record(z.string(), z.unknown()).optional(),
    webhook: z
      .object({
        url: z.string(),
        token: z.string(),
        servers: z.array(z.object({ name: z.string(), commands: z.array(z.string()), note: z.string() })),
      })
      .optional(),
    /** What is not wrong and better otherwise, and what is left to do by hand. */
    notes: z.array(z.string()),
  })
  .meta({ id: 'ConnectPlan' });
export type ConnectPlanView = z.infer<typeof ConnectPlanView>;

export const TemplateView = z
  .object({ format: z.enum(['terraform', 'cloudformation']), fileName: z.string(), text: z.string() })
  .meta({ id: 'ConnectTemplate' });
export type TemplateView = z.infer<typeof TemplateView>;

const principals = z
  .string()
  .max(8_000)
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );

export const PolicyQuery = z.object({
  /** By comma; the role of the endpoint's credentials when absent. */
  scanners: principals,
  breakGlass: principals,
  othersMayTag: z.enum(['true', 'false']).default('false'),
});

export const BucketPolicyView = z
  .object({
    /** Whole, with what is there: what `aws s3api put-bucket-policy` takes. */
    policy: z.record(z.string(), z.unknown()),
    /** False when it is the bucket's policy already. */
    differs: z.boolean(),
    limits: z.array(z.string()),
    notes: z.array(z.string()),
  })
  .meta({ id: 'BucketReadPolicy' });
export type BucketPolicyView = z.infer<typeof BucketPolicyView>;
