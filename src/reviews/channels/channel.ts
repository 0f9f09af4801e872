import type { Queryable } from '../../database/queryable.js';
import type { OutboxMessage } from '../../outbound/outbox.js';
import type { Review } from '../review.js';
import type { ReviewerPerson } from '../reviewers.js';
import type { ReviewEvent } from '../sql/review-events.js';

/** Why people are told of a review. With it a message is unique: the same telling twice is one. */
export type Telling =
  | { readonly kind: 'opened' }
  /** It was given to them. */
  | {
      readonly kind: 'assigned';
      readonly version: number;
      /** Who gave it, by name; absent where the service did, or an earlier release told. */
      readonly by?: string | undefined;
      readonly reason?: string | undefined;
      /** Whoever gave it answers for it still. */
      readonly staysWith?: boolean | undefined;
    }
  | { readonly kind: 'reminder'; readonly step: number }
  | {
      readonly kind: 'escalated';
      readonly step: number;
      readonly loop: number;
      /** Absent where the clock did. */
      readonly by?: string | undefined;
      readonly reason?: string | undefined;
    }
  /** What is asked about changed: whoever voted must look again. */
  | { readonly kind: 'renewed'; readonly round: number }
  /** What they asked for was answered. */
  | {
      readonly kind: 'answered';
      readonly version: number;
      readonly by?: string | undefined;
      readonly question?: string | undefined;
      readonly answer?: string | undefined;
    };

/**
 * A way to tell people of a review. A channel only says which outbox messages a change asks for; the messages are
 * stored in the change's transaction.
 */
export abstract class ReviewChannel {
  abstract readonly name: string;
  /** Tells these people, and why. */
  abstract tell(
    review: Review,
    people: readonly ReviewerPerson[],
    telling: Telling,
  ): readonly OutboxMessage[];
  /** Its state changed: bring every copy that people see up to date. */
  abstract changed(review: Review): readonly OutboxMessage[];
  /** A line was added to its timeline, in this transaction: for those who are told of every event. */
  noted(
    _tx: Queryable,
    _reviewId: string,
    _event: ReviewEvent & { readonly id: string },
  ): Promise<readonly OutboxMessage[]> {
    return Promise.resolve([]);
  }
}

/** Injection token of the array of channels that are configured. */
export const REVIEW_CHANNELS = Symbol('REVIEW_CHANNELS');
