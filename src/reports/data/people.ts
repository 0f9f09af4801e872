import { z } from 'zod';
import { count, duration, listed, Spread, text, time } from './parts.js';

/** What people had to decide. */
export const People = z
  .object({
    balance: z.object({
      opening: count,
      created: count,
      decided: count,
      /** Ended by the clock, left out, or no longer asked. */
      ended: count,
      closing: count,
      addsUp: z.boolean(),
    }),
    /** From the opening to whoever first took it, of those first taken in the period. */
    timeToClaim: Spread,
    /** From the opening, of those decided in the period. */
    timeToDecision: Spread,
    /** From the opening of a remedy to its proof, of those proved in the period. */
    timeToRemedy: Spread,
    /** Of those with a deadline, each once: met in the period in which it ended, breached in the one in which its deadline passed. */
    sla: z.array(z.object({ queue: text, severity: text, met: count, breached: count })),
    /** Open ones at the end by their age; `toDays` null: and older. */
    ageing: z.array(z.object({ fromDays: count, toDays: count.nullable(), count })),
    /** The oldest ten that were open at the end. */
    oldest: z.array(
      z.object({ reviewId: text, title: text, queue: text, openedAt: time, holder: text.nullable() }),
    ),
    deeds: z.object({
      escalated: count,
      reassigned: count,
      expired: count,
      autoDecided: count,
      reminded: count,
      askedBack: count,
      overridden: count,
    }),
  })
  .meta({ id: 'People' });
export type People = z.infer<typeof People>;

/** One vote. */
export const RegisteredVote = z
  .object({
    by: text,
    byId: text,
    onBehalfOf: text.nullable(),
    outcome: text,
    reason: text,
    via: text,
    /** How the identity was proved: session, token, apikey, mail-link, mail-code, slack, auth-off. */
    method: text,
    at: time,
    isOverride: z.boolean(),
    isWithdrawn: z.boolean(),
  })
  .meta({ id: 'RegisteredVote' });
export type RegisteredVote = z.infer<typeof RegisteredVote>;

/** One decision, whatever it was about. */
export const RegisteredDecision = z
  .object({
    reviewId: text,
    title: text,
    /** `workflow / task`. */
    task: text,
    queue: text,
    /** Absent where the question was about no upload. */
    object: text.nullable(),
    /** SHA-256 of what the voters were shown. */
    subjectDigest: text,
    /** Of the bytes, where the verdict knew them. */
    sha256: text.nullable(),
    /** Who asked, where it is known. */
    requester: text.nullable(),
    votes: z.array(RegisteredVote),
    outcome: text,
    decidedBy: text,
    decidedAt: time,
    via: text,
    method: text,
    reason: text,
    quorum: z.object({ required: count, reached: count }),
    elapsedMs: duration,
    /** Name and version of the workflow that asked. */
    definition: text,
    /** Ids of the control checks that it does not pass. */
    failed: z.array(text),
    /** Drawn for the sample. */
    isSampled: z.boolean(),
  })
  .meta({ id: 'RegisteredDecision' });
export type RegisteredDecision = z.infer<typeof RegisteredDecision>;

/** Who approved what, when: those that fail a check first, then the sample, then the others in their order. */
export const Decisions = listed(RegisteredDecision).extend({
  /** Draws the same sample again: `sallyport report sample`. */
  sample: z.object({ seed: text, size: count }),
});
export type Decisions = z.infer<typeof Decisions>;
