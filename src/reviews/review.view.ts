import { z } from 'zod';
import { handlingOf, type Review } from './review.js';
import { outcomeFacts } from './rules/outcome.js';
import { REVIEW_STATES } from './rules/review.js';
import { REVIEW_EVENT_KINDS, type ReviewEvent } from './sql/review-events.js';

/*
 * How a review looks in the API. Times are ISO 8601 in UTC. Object names and findings come from strangers: show them
 * as text.
 */

const Person = z.object({ id: z.string(), name: z.string() }).meta({ id: 'ReviewPerson' });
const iso = z.iso.datetime();

const Outcome = z
  .object({
    name: z.string(),
    label: z.string(),
    effect: z.string(),
    needsReason: z.boolean(),
    tone: z.enum(['primary', 'danger', 'neutral']),
  })
  .meta({ id: 'ReviewOutcome' });

const ReviewObject = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    bucket: z.string(),
    key: z.string(),
    versionId: z.string().nullable(),
    sizeBytes: z.number().nullable(),
    detectedType: z.string().nullable(),
    lastModified: z.string().nullable(),
    uploader: z.string().nullable(),
    sha256: z.string().nullable(),
    quarantined: z.boolean().nullable(),
  })
  .meta({ id: 'ReviewObject' });

const ReviewFinding = z
  .object({
    kind: z.enum(['secret', 'malware']),
    ruleId: z.string(),
    title: z.string(),
    severity: z.enum(['critical', 'high', 'medium', 'low']),
    confidence: z.enum(['high', 'medium', 'low']),
    path: z.string(),
    line: z.number().optional(),
    column: z.number().optional(),
    byteOffset: z.number().optional(),
    excerpt: z.string().optional(),
    fingerprint: z.string(),
    remediation: z.string().optional(),
  })
  .meta({ id: 'ReviewFinding' });

export const ReviewSummary = z
  .object({
    id: z.string(),
    taskId: z.string(),
    workflowId: z.string(),
    scanId: z.string().nullable(),
    title: z.string(),
    state: z.enum(REVIEW_STATES),
    version: z.number(),
    verdict: z.string().nullable(),
    reason: z.string().nullable(),
    outcomes: z.array(Outcome),
    object: ReviewObject.nullable(),
    findingsTotal: z.number(),
    subjectDigest: z.string(),
    claim: z.object({ by: Person, at: iso }).nullable(),
    decision: z
      .object({
        outcome: z.string(),
        label: z.string(),
        by: Person,
        at: iso,
        via: z.string(),
        method: z.string(),
        reason: z.string(),
        completion: z.enum(['pending', 'applied', 'late']),
        completionNote: z.string().nullable(),
      })
      .nullable(),
    cancelled: z.object({ at: iso, reason: z.string() }).nullable(),
    createdAt: iso,
    updatedAt: iso,
  })
  .meta({ id: 'ReviewSummary' });
export type ReviewSummary = z.infer<typeof ReviewSummary>;

export const ReviewDetail = ReviewSummary.extend({
  engines: z.array(z.string()),
  /** What was not looked at; a path is one inside nested archives, empty for the object itself. */
  notCovered: z.array(z.object({ path: z.string(), reason: z.string(), detail: z.string().optional() })),
  /** How many of them there are; the first are listed. */
  notCoveredTotal: z.number(),
  findings: z.array(ReviewFinding),
  timeline: z.array(
    z.object({
      at: iso,
      kind: z.enum(REVIEW_EVENT_KINDS),
      by: Person,
      via: z.string(),
      data: z.record(z.string(), z.unknown()),
    }),
  ),
}).meta({ id: 'Review' });
export type ReviewDetail = z.infer<typeof ReviewDetail>;

export const ReviewList = z
  .object({ items: z.array(ReviewSummary), nextCursor: z.string().nullable() })
  .meta({ id: 'ReviewList' });

/** Counts end at 10,000: that is so many or more. */
export const ReviewsWaiting = z
  .object({
    /** Nobody is on them. */
    open: z.int(),
    claimed: z.int(),
    /** Of the claimed: by whoever asks. */
    mine: z.int(),
    oldestAt: iso.nullable(),
  })
  .meta({ id: 'ReviewsWaiting' });

const isoOf = (at: number): string => new Date(at).toISOString();

/** @param dryRun the service touches no object. */
export function summaryOf(review: Review, dryRun: boolean): ReviewSummary {
  const { subject, claim, decision, cancelled } = review;
  return {
    id: review.id,
    taskId: review.taskId,
    workflowId: review.workflowId,
    scanId: review.scanId ?? null,
    title: review.title,
    state: review.state,
    version: review.version,
    verdict: subject.verdict ?? null,
    reason: subject.reason ?? null,
    outcomes: review.outcomes.map((name) => ({ name, ...outcomeFacts(name, handlingOf(review, dryRun)) })),
    object: objectOf(review),
    findingsTotal: subject.findingsTotal,
    subjectDigest: review.subjectDigest,
    claim: claim === undefined ? null : { by: claim.by, at: isoOf(claim.at) },
    decision:
      decision === undefined
        ? null
        : {
            outcome: decision.outcome,
            label: outcomeFacts(decision.outcome).label,
            by: decision.by,
            at: isoOf(decision.at),
            via: decision.via,
            method: decision.method,
            reason: decision.reason,
            completion: review.completion ?? 'pending',
            completionNote: review.completionNote ?? null,
          },
    cancelled: cancelled === undefined ? null : { at: isoOf(cancelled.at), reason: cancelled.reason },
    createdAt: isoOf(review.createdAt),
    updatedAt: isoOf(review.updatedAt),
  };
}

export const detailOf = (
  review: Review,
  timeline: readonly ReviewEvent[],
  dryRun: boolean,
): ReviewDetail => ({
  ...summaryOf(review, dryRun),
  engines: [...(review.subject.engines ?? [])],
  notCovered: [...(review.subject.notCovered ?? [])],
  notCoveredTotal: review.subject.notCoveredTotal ?? 0,
  findings: [...review.subject.findings],
  timeline: timeline.map((event) => ({
    at: isoOf(event.at),
    kind: event.kind,
    by: event.by,
    via: event.via,
    data: { ...event.data },
  })),
});

function objectOf({ subject }: Review): ReviewSummary['object'] {
  if (subject.object === undefined) return null;
  const { ref, facts, objectId, uploader } = subject.object;
  return {
    id: objectId,
    endpointId: ref.endpointId,
    bucket: ref.bucket,
    key: ref.key,
    versionId: ref.versionId ?? null,
    sizeBytes: facts?.sizeBytes ?? null,
    detectedType: facts?.detectedType ?? null,
    lastModified: facts?.lastModified ?? null,
    uploader: uploader ?? null,
    sha256: subject.sha256 ?? null,
    quarantined: subject.quarantined ?? null,
  };
}
