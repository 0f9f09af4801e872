import { z } from 'zod';
import { CLEAN_VERDICTS, VERDICTS } from '../../verdicts/verdict.js';

const isStorable = (value: string) => !value.includes('\u0000') && value.isWellFormed();
const NOT_STORABLE = 'must not contain NUL or lone surrogates';

export const BucketName = z.string().min(1).max(255).refine(isStorable, NOT_STORABLE);
export const KeyPrefix = z.string().max(1024).refine(isStorable, NOT_STORABLE);

/** ISO 8601, or milliseconds since the epoch. */
export const instant = z.union([z.string().max(64), z.int()]).transform((value, context): number => {
  const at = typeof value === 'number' ? value : /^\d{1,15}$/.test(value) ? Number(value) : Date.parse(value);
  if (Number.isSafeInteger(at) && at >= 0 && at <= 8_640_000_000_000_000) return at;
  context.addIssue({ code: 'custom', message: 'must be an ISO 8601 time or milliseconds since the epoch' });
  return z.NEVER;
});

const MAX_DAYS = 36_500;
const days = z.number().min(0).max(MAX_DAYS);

/** What a rescan may be asked for: by the API, and by a schedule. */
export const RescanWish = z
  .strictObject({
    bucket: BucketName.optional(),
    prefix: KeyPrefix.optional(),
    /** Those whose bytes may say more today than they did. */
    verdicts: z
      .array(z.enum(VERDICTS))
      .min(1)
      .max(VERDICTS.length)
      .default([...CLEAN_VERDICTS, 'incomplete']),
    /** Its verdict is older than this moment. */
    notScannedSince: instant.optional(),
    /** The same, counted back from when it runs: what a schedule needs. */
    notScannedDays: days.optional(),
    /** First seen within so many days. */
    maxAgeDays: days.optional(),
  })
  .meta({ id: 'RescanRequest' });
export type RescanWish = z.infer<typeof RescanWish>;

/** What a reconciliation may be asked for. */
export const ReconcileWish = z
  .strictObject({
    /** Every registered bucket when absent. */
    bucket: BucketName.optional(),
    prefix: KeyPrefix.optional(),
    /** Younger uploads are left to their events. */
    graceSeconds: z
      .int()
      .min(0)
      .max(7 * 86_400)
      .default(600),
    /** Scans also what was uploaded before the bucket was watched, which is a backfill's work otherwise. */
    includeOlder: z.boolean().default(false),
  })
  .meta({ id: 'ReconcileRequest' });
export type ReconcileWish = z.infer<typeof ReconcileWish>;
