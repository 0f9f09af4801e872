import { z } from 'zod';
import { handlingOf, type Review } from './review.js';
import { partiesOf } from './rules/eligibility.js';
import { outcomeFacts } from './rules/outcome.js';
import { EXPIRY_ACTIONS } from './rules/policy.js';
import { decidingVote, REVIEW_STATES, type Vote } from './rules/review.js';
import { riskOf } from './rules/risk.js';
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
    /** The principal that the upload's event named, or whom the definition did; text from outside. */
    uploader: z.string().nullable(),
    /** Whom that was taken for when the review opened. */
    uploadedBy: z
      .object({
        how: z.enum(['mapped', 'named', 'likely', 'service', 'unknown']),
        name: z.string().nullable(),
      })
      .nullable(),
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

const Party = z.object({ kind: z.enum(['user', 'group']), name: z.string() }).meta({ id: 'ReviewParty' });

const ReviewVote = z
  .object({
    by: Person,
    onBehalfOf: Person.nullable(),
    outcome: z.string(),
    label: z.string(),
    reason: z.string(),
    at: iso,
    via: z.string(),
    method: z.string(),
    /** An admin decided who was not asked. */
    isOverride: z.boolean(),
  })
  .meta({ id: 'ReviewVote' });

/** What was filled in; null where nothing was. Text from whoever voted. */
const FilledIn = z.record(z.string(), z.unknown()).nullable();

const ReviewVoteDetail = ReviewVote.extend({ form: FilledIn }).meta({ id: 'ReviewVoteDetail' });

const ReviewDecision = z
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
    /** The clock decided, not a person. */
    isAutomatic: z.boolean(),
  })
  .meta({ id: 'ReviewDecision' });

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
    /** How grave it would be if what was found is so: 0 to 100. */
    risk: z.int(),
    subjectDigest: z.string(),
    /** The queue that it is listed and counted in. */
    queue: z.string(),
    /** Who has it: given to them (`ASSIGNED`), or at work on it. */
    claim: z.object({ by: Person, at: iso }).nullable(),
    /** Who handed it on and answers for it still. */
    owner: Person.nullable(),
    /** Whom it asks; empty: everybody who may decide. */
    asks: z.array(Party),
    dueAt: iso.nullable(),
    hold: z.object({ by: Person, until: iso, reason: z.string() }).nullable(),
    info: z.object({ by: Person, since: iso, question: z.string() }).nullable(),
    /** Counts what was shown: a rescan with another result begins the next. */
    round: z.number(),
    /** Of this round. */
    votes: z.array(ReviewVote),
    /** Votes that an outcome needs: one that grants something, and one that refuses. */
    quorum: z.object({ approve: z.number(), reject: z.number(), distinctGroups: z.boolean() }),
    decision: ReviewDecision.nullable(),
    cancelled: z.object({ at: iso, reason: z.string() }).nullable(),
    /** The case that it belongs to: reviews about the same thing. */
    caseId: z.string().nullable(),
    createdAt: iso,
    updatedAt: iso,
  })
  .meta({ id: 'ReviewSummary' });
export type ReviewSummary = z.infer<typeof ReviewSummary>;

export const ReviewDetail = ReviewSummary.extend({
  votes: z.array(ReviewVoteDetail),
  /** Its form is that of the vote that decided. */
  decision: ReviewDecision.extend({ form: FilledIn }).meta({ id: 'ReviewDecisionDetail' }).nullable(),
  engines: z.array(z.string()),
  /** What was not looked at; a path is one inside nested archives, empty for the object itself. */
  notCovered: z.array(z.object({ path: z.string(), reason: z.string(), detail: z.string().optional() })),
  /** How many of them there are; the first are listed. */
  notCoveredTotal: z.number(),
  /** Less than the total where the scan stopped; null where that is not known. */
  bytesScanned: z.number().nullable(),
  bytesTotal: z.number().nullable(),
  findings: z.array(ReviewFinding),
  /** Who must not decide here (four eyes), and why. */
  excluded: z.array(
    Person.extend({ because: z.enum(['requester', 'uploader', 'definitionEditor', 'assigner']) }),
  ),
  /** Of whom four eyes ask and nobody knows who it is: granting takes one vote more. */
  undetermined: z.array(z.enum(['requester', 'uploader', 'definitionEditor', 'assigner'])),
  /** JSON Schema of the form, where there is one. */
  form: z.record(z.string(), z.unknown()).nullable(),
  /** Who hears of every change without being asked. */
  watchers: z.array(Person),
  /** Why whoever asks may not decide; null when they may, or it is over. */
  keptFrom: z.string().nullable(),
  /** Why whoever uploaded it cannot be asked, and what mends that; null when they can, or there is nothing to ask any more. */
  uploaderNotAsked: z.string().nullable(),
  /** What the clock does when it is due. */
  onExpire: z.object({ action: z.enum(EXPIRY_ACTIONS), outcome: z.string() }),
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

export const ReviewerList = z
  .object({ items: z.array(Person.extend({ groups: z.array(z.string()) })) })
  .meta({ id: 'ReviewerList' });

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

const filledIn = (vote: Vote | undefined): Record<string, unknown> | null =>
  vote?.form === undefined ? null : { ...vote.form };

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
    risk: review.risk ?? riskOf(subject),
    subjectDigest: review.subjectDigest,
    queue: review.policy.queue,
    claim: claim === undefined ? null : { by: claim.by, at: isoOf(claim.at) },
    owner: review.owner ?? null,
    asks: partiesOf(review).map(({ kind, name }) => ({ kind, name })),
    dueAt: review.dueAt === undefined ? null : isoOf(review.dueAt),
    hold:
      review.hold === undefined
        ? null
        : { by: review.hold.by, until: isoOf(review.hold.until), reason: review.hold.reason },
    info:
      review.info === undefined
        ? null
        : { by: review.info.by, since: isoOf(review.info.since), question: review.info.question },
    round: review.round,
    votes: review.votes.map((vote) => ({
      by: vote.by,
      onBehalfOf: vote.onBehalfOf ?? null,
      outcome: vote.outcome,
      label: outcomeFacts(vote.outcome).label,
      reason: vote.reason,
      at: isoOf(vote.at),
      via: vote.via,
      method: vote.method,
      isOverride: vote.isOverride,
    })),
    quorum: review.policy.quorum,
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
            isAutomatic: review.state === 'EXPIRED',
          },
    cancelled: cancelled === undefined ? null : { at: isoOf(cancelled.at), reason: cancelled.reason },
    caseId: review.caseId ?? null,
    createdAt: isoOf(review.createdAt),
    updatedAt: isoOf(review.updatedAt),
  };
}

export const detailOf = (
  review: Review,
  timeline: readonly ReviewEvent[],
  dryRun: boolean,
): Omit<ReviewDetail, 'watchers' | 'keptFrom' | 'uploaderNotAsked'> => ({
  ...withForms(review, summaryOf(review, dryRun)),
  engines: [...(review.subject.engines ?? [])],
  notCovered: [...(review.subject.notCovered ?? [])],
  notCoveredTotal: review.subject.notCoveredTotal ?? 0,
  bytesScanned: review.subject.bytes?.scanned ?? null,
  bytesTotal: review.subject.bytes?.total ?? null,
  findings: [...review.subject.findings],
  excluded: [...review.excluded],
  undetermined: [...(review.policy.undetermined ?? [])],
  form: review.policy.form === undefined ? null : { ...review.policy.form },
  onExpire: review.policy.onExpire,
  timeline: timeline.map((event) => ({
    at: isoOf(event.at),
    kind: event.kind,
    by: event.by,
    via: event.via,
    data: { ...event.data },
  })),
});

/** The answers beside the votes: in the detail alone, since each may be long. */
function withForms(
  { votes, decision }: Review,
  summary: ReviewSummary,
): ReviewSummary & Pick<ReviewDetail, 'votes' | 'decision'> {
  return {
    ...summary,
    votes: summary.votes.map((vote, index) => ({ ...vote, form: filledIn(votes[index]) })),
    decision:
      decision === undefined || summary.decision === null
        ? null
        : { ...summary.decision, form: filledIn(decidingVote(votes, decision)) },
  };
}

function objectOf({ subject }: Review): ReviewSummary['object'] {
  if (subject.object === undefined) return null;
  const { ref, facts, objectId, uploader, uploadedBy } = subject.object;
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
    uploadedBy: uploadedBy === undefined ? null : { how: uploadedBy.how, name: uploadedBy.name ?? null },
    sha256: subject.sha256 ?? null,
    quarantined: subject.quarantined ?? null,
  };
}
