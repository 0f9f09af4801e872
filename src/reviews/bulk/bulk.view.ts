import { z } from 'zod';
import { instant, ReviewId, text } from '../request-fields.js';
import { MAX_REASON_LENGTH } from '../rules/command.js';
import { REVIEW_STATES } from '../rules/review.js';

/** Reviews that one request may change: all of them within the time that a proxy waits for an answer. */
export const MAX_AT_ONCE = 100;

const unique = (items: readonly { readonly id: string }[]): boolean =>
  new Set(items.map(({ id }) => id.toLowerCase())).size === items.length;

/** Reviews with what was shown of each; a vote on something else is refused for that one. */
export const Shown = z
  .array(z.object({ id: ReviewId, digest: text(64).min(1) }))
  .min(1)
  .max(MAX_AT_ONCE)
  .refine(unique, 'names a review twice');

const Ids = z
  .array(z.object({ id: ReviewId }))
  .min(1)
  .max(MAX_AT_ONCE)
  .refine(unique, 'names a review twice');

const reason = text(MAX_REASON_LENGTH).default('');
/** Chosen by the client for this one request: sent again with it, the request is answered like the first time. */
export const idempotencyKey = text(100).min(1).optional();

/** One thing to do with many reviews, for one reason. */
export const BulkRequest = z
  .discriminatedUnion('action', [
    z.object({
      action: z.literal('decide'),
      outcome: text(60).min(1),
      reason,
      items: Shown,
      idempotencyKey,
    }),
    z.object({
      action: z.literal('reassign'),
      /** Id of who gets them. */
      to: text(100).min(1),
      reason,
      items: Ids,
      idempotencyKey,
    }),
    z.object({ action: z.literal('claim'), items: Ids, idempotencyKey }),
    z.object({ action: z.literal('release'), items: Ids, idempotencyKey }),
    z.object({ action: z.literal('hold'), until: instant, reason, items: Ids, idempotencyKey }),
  ])
  .meta({ id: 'ReviewBulkRequest' });
export type BulkRequest = z.infer<typeof BulkRequest>;

export const ItemResult = z
  .object({
    id: z.string(),
    /**
     * `done`: it is so now, `state` says where that left the review. `conflict`: somebody was first, `problem` says who and
     * when. `refused`: this person may not, or it cannot be; nothing was changed.
     */
    result: z.enum(['done', 'conflict', 'refused']),
    state: z.enum(REVIEW_STATES).nullable(),
    version: z.number().nullable(),
    /** The body that the request for this review alone would have been answered with; null when done. */
    problem: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'ReviewItemResult' });
export type ItemResult = z.infer<typeof ItemResult>;

export const BulkAnswer = z
  .object({
    items: z.array(ItemResult),
    /** How many of each. */
    done: z.int(),
    conflicts: z.int(),
    refused: z.int(),
  })
  .meta({ id: 'ReviewBulkAnswer' });
export type BulkAnswer = z.infer<typeof BulkAnswer>;

export function answerOf(items: readonly ItemResult[]): BulkAnswer {
  const count = (result: ItemResult['result']): number =>
    items.filter((item) => item.result === result).length;
  return {
    items: [...items],
    done: count('done'),
    conflicts: count('conflict'),
    refused: count('refused'),
  };
}
