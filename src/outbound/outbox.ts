import type { Instant } from '../clock.js';
import type { Role } from '../config.js';
import type { Queryable } from '../database/queryable.js';

/** Something to do outside the database, recorded before it is done. */
export interface OutboxMessage {
  /** Which handler delivers it: `mail`, `slack.post`, `slack.update`, `engine.complete`, … */
  readonly kind: string;
  /** Unique with `kind`: the same message enqueued twice is delivered once. */
  readonly key: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly notBefore?: Instant | undefined;
  /** Messages of one group, whatever their kinds, are delivered one at a time in the order of their enqueueing. */
  readonly group?: string | undefined;
}

/** A message as its handler gets it. */
export interface OutboxDelivery extends OutboxMessage {
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** An earlier attempt may have arrived although nobody heard so: look before sending again, where that is possible. */
  readonly ambiguous: boolean;
  /** When it was recorded: nothing of it went out before. */
  readonly enqueuedAt: Instant;
}

/** How one attempt ended. `giveUp` keeps the row, marks it failed and shows it in /health. */
export type Delivery =
  | { readonly kind: 'sent'; readonly receipt?: Readonly<Record<string, unknown>> | undefined }
  | {
      readonly kind: 'retry';
      readonly afterSeconds?: number | undefined;
      readonly reason: string;
      /** It may have arrived: the answer was lost. */
      readonly ambiguous?: boolean | undefined;
      /** What is known of the answer; the last one's is kept. */
      readonly receipt?: Readonly<Record<string, unknown>> | undefined;
    }
  /** It is not its turn yet: counts as no attempt. Only for a wait that is over by itself, whatever the others do. */
  | {
      readonly kind: 'later';
      readonly afterSeconds: number;
      readonly reason: string;
      readonly receipt?: undefined;
    }
  | {
      readonly kind: 'giveUp';
      readonly reason: string;
      /** Of a mail: the status of RFC 3463 with which its address was refused, as 5.1.1. */
      readonly mailStatus?: string | undefined;
      readonly receipt?: Readonly<Record<string, unknown>> | undefined;
    };

/** Nothing has to be said any more; the receipt keeps why. */
export const skipped = (why: string): Delivery => ({ kind: 'sent', receipt: { skipped: why } });

/** Delivers one kind of message. May be called again for a message whose answer was lost. */
export abstract class OutboxHandler {
  abstract readonly kind: string;
  /** The loop runs in processes with this role. */
  readonly role: Role = 'notify';
  /** Messages of this kind that one process delivers at the same time. */
  readonly concurrency: number = 4;
  /** An attempt that takes longer counts as ambiguous; also how long a dead process holds a message up. */
  readonly timeoutSeconds: number = 20;
  /** What was given up is removed after so many days; kept until somebody looked at it when absent. */
  readonly forgetFailedAfterDays: number | undefined = undefined;
  /** Stays here while a restored database is held; false for what goes to another part of the service. */
  readonly leaves: boolean = true;
  abstract deliver(message: OutboxDelivery): Promise<Delivery>;
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
  /** Where answers go; MAIL_FROM when absent. */
  readonly replyTo?: string | undefined;
  /** Where one click asks for less of such mail (RFC 8058). */
  readonly unsubscribe?: string | undefined;
  /** Where bounces go (the envelope's sender); MAIL_FROM when absent. */
  readonly returnPath?: string | undefined;
  readonly attachments?:
    | readonly { readonly filename: string; readonly contentType: string; readonly contentBase64: string }[]
    | undefined;
}
