import { z } from 'zod';
import { BulkAnswer, idempotencyKey, Shown } from '../bulk/bulk.view.js';
import { ReviewId, text } from '../request-fields.js';
import { ReviewSummary } from '../review.view.js';
import { MAX_REASON_LENGTH } from '../rules/command.js';
import { outcomeFacts } from '../rules/outcome.js';
import type { ReviewCase as Case } from '../sql/cases.js';

const iso = z.iso.datetime();
const Person = z.object({ id: z.string(), name: z.string() });

export const CaseSummary = z
  .object({
    id: z.string(),
    queue: z.string(),
    /** Of the first review in it. */
    title: z.string(),
    openedAt: iso,
    /** The first decision that was made on the case; what comes later begins another case. */
    decided: z
      .object({ outcome: z.string(), label: z.string(), by: Person, at: iso, reason: z.string() })
      .nullable(),
    /** Reviews that belong to it, and of them those that can still be decided. */
    members: z.int(),
    waiting: z.int(),
  })
  .meta({ id: 'ReviewCaseSummary' });
export type CaseSummary = z.infer<typeof CaseSummary>;

export const CaseList = z
  .object({ items: z.array(CaseSummary), nextCursor: z.string().nullable() })
  .meta({ id: 'ReviewCaseList' });

export const CaseDetail = CaseSummary.extend({
  /** In the order of joining. Send the digests with a decision: it is made on what was shown. */
  reviews: z.array(
    z.object({
      review: ReviewSummary,
      joinedAt: iso,
      /** Why whoever asks may not decide this one (four eyes, or who is asked); null when they may, or it is over. */
      keptFrom: z.string().nullable(),
    }),
  ),
  /** Taken out by somebody; each goes on by itself. */
  detached: z.array(z.object({ id: z.string(), title: z.string(), by: Person, at: iso })),
}).meta({ id: 'ReviewCase' });
export type CaseDetail = z.infer<typeof CaseDetail>;

export const CaseDecide = z
  .object({
    outcome: text(60).min(1),
    reason: text(MAX_REASON_LENGTH).default(''),
    /** What was filled into the question's form: the same for all. */
    form: z.record(z.string().max(200), z.unknown()).optional(),
    /** What was shown: those that are decided. One that joined since is left open. */
    items: Shown,
    idempotencyKey,
  })
  .meta({ id: 'ReviewCaseDecide' });
export type CaseDecide = z.infer<typeof CaseDecide>;

export const CaseAnswer = BulkAnswer.extend({
  /** What still waits in the case, and why. */
  left: z.array(z.object({ id: z.string(), title: z.string(), why: z.string() })),
}).meta({ id: 'ReviewCaseAnswer' });
export type CaseAnswer = z.infer<typeof CaseAnswer>;

export const CaseDetach = z
  .object({ reviewId: ReviewId, reason: text(MAX_REASON_LENGTH).default('') })
  .meta({ id: 'ReviewCaseDetach' });
export type CaseDetach = z.infer<typeof CaseDetach>;

const isoOf = (at: number): string => new Date(at).toISOString();

export const caseSummary = ({ decided, openedAt, ...rest }: Case): CaseSummary => ({
  ...rest,
  openedAt: isoOf(openedAt),
  decided:
    decided === undefined
      ? null
      : { ...decided, label: outcomeFacts(decided.outcome).label, at: isoOf(decided.at) },
});
