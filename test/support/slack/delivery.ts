import type { Json } from './refusal.js';

/** Slack waits that long for an acknowledgement. */
export const ACK_WITHIN_MS = 3000;

/** Says of an event that it was sent before, and why again. */
export interface Retry {
  readonly attempt: number;
  readonly reason: string;
}

/** One try of bringing an event to the service failed. */
export class NotDelivered extends Error {
  override readonly name = 'NotDelivered';

  constructor(
    readonly reason: 'timeout' | 'http_timeout' | 'http_error' | 'connection_failed',
    message: string,
    /** Set when the service asked not to be tried again. */
    readonly isFinal = false,
  ) {
    super(message);
  }
}

/** A way from Slack to the service. Each gives back what the service acknowledged with. */
export interface Delivery {
  ackWithinMs: number;
  interaction(payload: Json): Promise<Json>;
  command(fields: Readonly<Record<string, string>>): Promise<Json>;
  event(payload: Json, retry: Retry | undefined): Promise<Json>;
}
