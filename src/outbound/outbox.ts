import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';

/** Something to do outside the database, recorded before it is done. */
export interface OutboxMessage {
  /** Which handler delivers it: `mail`, `slack.post`, `slack.update`, `engine.complete`, … */
  readonly kind: string;
  /** Unique with `kind`: the same message enqueued twice is delivered once. */
  readonly key: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly notBefore?: Instant | undefined;
}

/** How one attempt ended. `giveUp` keeps the row, marks it failed and shows it in /health. */
export type Delivery =
  | { readonly kind: 'sent'; readonly receipt?: Readonly<Record<string, unknown>> | undefined }
  | { readonly kind: 'retry'; readonly afterSeconds?: number | undefined; readonly reason: string }
  | { readonly kind: 'giveUp'; readonly reason: string };

/** Delivers one kind of message. May be called again for a message whose answer was lost. */
export abstract class OutboxHandler {
  abstract readonly kind: string;
  abstract deliver(
    message: OutboxMessage & { readonly id: string; readonly attempt: number },
  ): Promise<Delivery>;
}

/** Injection token of the array of all handlers. */
export const OUTBOX_HANDLERS = Symbol('OUTBOX_HANDLERS');

/**
 * The durable outbox that mail, Slack, webhooks and the way back to the engine share: rows written in the deed's
 * transaction, delivered at least once by whichever node runs the owning role, with bounded back-off.
 */
export abstract class Outbox {
  abstract enqueue(tx: Queryable, messages: readonly OutboxMessage[]): Promise<void>;
}

/** Payload of kind `mail`; plain text always, HTML beside it. Addresses, subject and bodies are already safe to show. */
export interface MailPayload {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Message-ID local part for threading; the first mail of a subject is the root. */
  readonly messageId: string;
  readonly inReplyTo?: string | undefined;
  readonly attachments?:
    | readonly { readonly filename: string; readonly contentType: string; readonly contentBase64: string }[]
    | undefined;
}
