import { z } from 'zod';
import { text } from '../../request-fields.js';
import { REVIEW_EVENT_KINDS } from '../../sql/review-events.js';
import type { StoredDelivery } from '../../sql/webhook-deliveries.js';
import type { StoredWebhook } from '../../sql/webhooks.js';

/** Subscriptions in all; each has places of its own among what is on its way. */
export const MAX_WEBHOOKS = 50;

export const EVENT_TYPES = REVIEW_EVENT_KINDS.map((kind) => `review.${kind}` as const);

const Fields = z.object({
  name: text(100).regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'may hold letters, digits, _ . and -'),
  url: text(2000).min(1).describe('An https or http address, without credentials.'),
  events: z
    .array(z.enum(EVENT_TYPES))
    .max(EVENT_TYPES.length)
    .transform((names) => [...new Set(names)])
    .describe('Empty: all.'),
  queues: z
    .array(text(100).min(1))
    .max(100)
    .transform((names) => [...new Set(names)])
    .describe('Empty: all.'),
});

export const NewWebhook = Fields.extend({
  events: Fields.shape.events.default([]),
  queues: Fields.shape.queues.default([]),
  isActive: z.boolean().default(true),
}).meta({ id: 'NewWebhook' });

export const WebhookPatch = Fields.extend({ isActive: z.boolean() })
  .partial()
  .extend({ version: z.int().min(1).describe('That one read; another one answers 409.') })
  .meta({ id: 'WebhookPatch' });

export const RotateSecret = z
  .object({
    keepOldHours: z.int().min(0).max(168).default(24).describe('So long the old secret signs as well.'),
  })
  .meta({ id: 'WebhookRotateSecret' });

const WebhookFields = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  queues: z.array(z.string()),
  isActive: z.boolean(),
  offReason: z.string().nullable().describe('Why it was switched off, where nobody did.'),
  failingSince: z.string().nullable().describe('Since when nothing arrives; ISO 8601.'),
  oldSecretUntil: z.string().nullable().describe('Until when the secret before signs as well.'),
  version: z.int(),
  createdAt: z.string(),
  createdBy: z.string(),
  updatedAt: z.string(),
});
export const Webhook = WebhookFields.meta({ id: 'Webhook' });
export const WebhookWithSecret = WebhookFields.extend({
  secret: z.string().describe('Told this once.'),
}).meta({ id: 'WebhookWithSecret' });
export const WebhookList = z.object({ items: z.array(Webhook) }).meta({ id: 'WebhookList' });

export const DELIVERY_STATES = ['pending', 'sending', 'delivered', 'failed'] as const;
export const WebhookDelivery = z
  .object({
    id: z.string(),
    messageId: z.string().describe('As in the header webhook-id.'),
    type: z.string(),
    reviewId: z.string().nullable(),
    state: z.enum(DELIVERY_STATES),
    attempts: z.int(),
    lastStatus: z.int().nullable().describe('HTTP status of the last answer.'),
    reason: z.string().nullable().describe('Why the last attempt did not arrive.'),
    nextAttemptAt: z.string().nullable(),
    createdAt: z.string(),
    endedAt: z.string().nullable(),
  })
  .meta({ id: 'WebhookDelivery' });
export const WebhookDeliveryList = z
  .object({ items: z.array(WebhookDelivery), nextCursor: z.string().nullable() })
  .meta({ id: 'WebhookDeliveryList' });
export const Replayed = z.object({ replayed: z.int() }).meta({ id: 'WebhookReplayed' });

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

export const webhookView = (one: StoredWebhook, now: number): z.infer<typeof Webhook> => ({
  id: one.id,
  name: one.name,
  url: one.url,
  events: [...one.events],
  queues: [...one.queues],
  isActive: one.isActive,
  offReason: one.offReason,
  failingSince: isoOrNull(one.failingSince),
  oldSecretUntil: one.oldUntil === null || one.oldUntil <= now ? null : iso(one.oldUntil),
  version: one.version,
  createdAt: iso(one.createdAt),
  createdBy: one.createdBy,
  updatedAt: iso(one.updatedAt),
});

/** States of the outbox behind each of ours. */
export const STORED_STATES = {
  pending: ['pending', 'ambiguous'],
  sending: ['sending'],
  delivered: ['sent'],
  failed: ['failed'],
} as const;

const STATE_OF = {
  pending: 'pending',
  ambiguous: 'pending',
  sending: 'sending',
  sent: 'delivered',
  failed: 'failed',
} as const;

export function deliveryView(one: StoredDelivery): z.infer<typeof WebhookDelivery> {
  const state = STATE_OF[one.state];
  return {
    id: one.id,
    messageId: one.messageId,
    type: one.type,
    reviewId: one.reviewId,
    state,
    attempts: one.attempts,
    lastStatus: one.status,
    reason: one.reason,
    nextAttemptAt: state === 'pending' ? iso(one.dueAt) : null,
    createdAt: iso(one.createdAt),
    endedAt: isoOrNull(one.endedAt),
  };
}
