import type { Instant } from '../../../clock.js';
import type { ReviewEvent } from '../../sql/review-events.js';
import type { ReviewFacts } from '../../sql/webhooks.js';

/** Version of what {@link eventBody} makes; docs/webhook.schema.json describes it. */
export const BODY_VERSION = 1;

/**
 * What is told of an event's particulars. What people wrote (reasons, remarks, answers, forms) is not: it may hold what was
 * found. Whoever wants it asks for the review, with an API key that may.
 */
const DETAILS: readonly string[] = [
  'action',
  'again',
  'completion',
  'dueAt',
  'eligible',
  'from',
  'needed',
  'onBehalfOf',
  'outcome',
  'override',
  'queue',
  'reminder',
  'round',
  'step',
  'to',
  'until',
  'voidVotes',
];

/** The body of one message; the same bytes at every attempt. Holds no finding and no text that somebody wrote. */
export function eventBody(
  { id, kind, at, by, via, data }: ReviewEvent & { readonly id: string },
  review: ReviewFacts,
  publicUrl: string,
): string {
  const details = Object.fromEntries(
    DETAILS.filter((name) => name in data).map((name) => [name, data[name]]),
  );
  return JSON.stringify({
    type: `review.${kind}`,
    timestamp: iso(at),
    version: BODY_VERSION,
    data: {
      // Of one review, later events have larger ones.
      sequence: Number(id),
      by,
      via,
      details,
      review: reviewOf(review, publicUrl),
    },
  });
}

/** The body of a test. */
export const testBody = (at: Instant): string =>
  JSON.stringify({ type: 'webhook.test', timestamp: iso(at), version: BODY_VERSION, data: {} });

const reviewOf = (review: ReviewFacts, publicUrl: string) => ({
  id: review.id,
  url: `${publicUrl}/reviews/${review.id}`,
  title: review.title,
  queue: review.queue,
  state: review.state,
  version: review.version,
  round: review.round,
  outcomes: review.outcomes,
  verdict: review.verdict,
  findingsTotal: review.findingsTotal,
  workflowId: review.workflowId,
  taskId: review.taskId,
  scanId: review.scanId,
  object:
    review.object === null
      ? null
      : {
          bucket: review.object.bucket,
          key: review.object.key,
          versionId: review.object.versionId ?? null,
          sha256: review.sha256,
        },
  claimedBy: person(review.claimedBy, review.claimedByName),
  decision:
    review.outcome === null || review.decidedAt === null
      ? null
      : {
          outcome: review.outcome,
          by: person(review.decidedBy, review.decidedByName),
          at: iso(review.decidedAt),
        },
  dueAt: review.dueAt === null ? null : iso(review.dueAt),
  createdAt: iso(review.createdAt),
});

const person = (id: string | null, name: string | null) => (id === null ? null : { id, name: name ?? id });
const iso = (at: Instant): string => new Date(at).toISOString();
