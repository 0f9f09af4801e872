import type { OutboxMessage } from '../../outbound/outbox.js';
import type { Review } from '../review.js';

/**
 * A way to tell people of a review. A channel only says which outbox messages a change asks for; it is asked before
 * the transaction, and the messages are stored in it.
 */
export abstract class ReviewChannel {
  abstract readonly name: string;
  /** The review opened: tell whom it concerns. */
  abstract opened(review: Review): Promise<readonly OutboxMessage[]>;
  /** Its state changed: bring every copy that people see up to date. */
  abstract changed(review: Review): readonly OutboxMessage[];
}

/** Injection token of the array of channels that are configured. */
export const REVIEW_CHANNELS = Symbol('REVIEW_CHANNELS');
