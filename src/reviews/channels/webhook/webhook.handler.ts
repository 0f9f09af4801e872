import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Keyring } from '../../../access/keyring.js';
import { openText } from '../../../access/sealing.js';
import { appendAudit } from '../../../audit/audit.js';
import { Clock, type Instant } from '../../../clock.js';
import { Database } from '../../../database/database.js';
import { AppError } from '../../../errors.js';
import { VERSION } from '../../../ops/version.js';
import { Alerts } from '../../../outbound/alerts.js';
import { EgressRefused } from '../../../outbound/egress/egress.js';
import { OutboxHandler, type Delivery, type OutboxDelivery } from '../../../outbound/outbox.js';
import { WEBHOOK } from '../../sql/webhook-deliveries.js';
import { findWebhook, noteArrival, noteFailure, switchOff, type StoredWebhook } from '../../sql/webhooks.js';
import { again, GONE, judged } from './attempts.js';
import { signedHeaders } from './signature.js';
import { belongsTo } from './webhook-secrets.js';
import { WebhookEgress } from './webhook-egress.js';
import { LANES } from './webhook.channel.js';
import { MAX_WEBHOOKS } from './webhook.view.js';

const ANSWER_WITHIN_MS = 10_000;
// Only the status is read; a page of some size beside it is an answer still.
const MAX_ANSWER_BYTES = 65_536;
const OFF_AFTER_MS = 3 * 86_400_000;

const Payload = z.object({
  webhookId: z.uuid(),
  messageId: z.string().min(1).max(100),
  body: z.string().min(1),
});

/**
 * Delivers one message to one subscription, signed anew at each attempt. What does not arrive is tried for some hours and
 * parked then; a subscription to which nothing arrives for three days is switched off, and the operators are told.
 */
@Injectable()
export class WebhookHandler extends OutboxHandler {
  readonly kind = WEBHOOK;
  // Every lane of every subscription and its tests: whoever is slow keeps nobody else's place.
  override readonly concurrency = MAX_WEBHOOKS * (LANES + 1);
  override readonly timeoutSeconds = 15;
  override readonly forgetFailedAfterDays = 30;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly egress: WebhookEgress,
    private readonly keyring: Keyring,
    private readonly alerts: Alerts,
  ) {
    super();
  }

  async deliver({ payload, attempt }: OutboxDelivery): Promise<Delivery> {
    const message = Payload.safeParse(payload);
    if (!message.success) return { kind: 'giveUp', reason: `not a message: ${message.error.message}` };
    const { webhookId, messageId, body } = message.data;
    const webhook = await findWebhook(this.db, webhookId);
    if (webhook === undefined) return { kind: 'giveUp', reason: 'the subscription was removed' };
    if (!webhook.isActive) return { kind: 'giveUp', reason: 'the subscription is switched off' };
    const delivery = await this.send(webhook, { id: messageId, body }, attempt);
    await this.note(webhook, delivery);
    return delivery;
  }

  private async send(
    webhook: StoredWebhook,
    message: { readonly id: string; readonly body: string },
    attempt: number,
  ): Promise<Delivery> {
    const now = this.clock.now();
    const startedAt = performance.now();
    const spread = Math.random();
    try {
      const { status, headers } = await this.egress.fetch({
        url: webhook.url,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': `Sallyport/${VERSION}`,
          ...signedHeaders({ ...message, timestamp: Math.floor(now / 1000) }, this.secretsOf(webhook, now)),
        },
        body: message.body,
        timeoutMs: ANSWER_WITHIN_MS,
        maxBytes: MAX_ANSWER_BYTES,
        maxRedirects: 0,
      });
      const milliseconds = Math.round(performance.now() - startedAt);
      const retryAfter = headers['retry-after'];
      return judged(
        { status, milliseconds, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined },
        attempt,
        spread,
      );
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // A name may be unknown for an hour; an address that may not be called stays so until somebody changes it.
      if (error instanceof EgressRefused && error.reason !== 'not_found')
        return { kind: 'giveUp', reason: error.message };
      return again(error.message, { attempt, spread });
    }
  }

  /** The one in use, and for a while the one before. */
  private secretsOf(webhook: StoredWebhook, now: Instant): readonly string[] {
    const { id, secret, oldSecret, oldUntil } = webhook;
    const sealed = oldSecret !== null && oldUntil !== null && now < oldUntil ? [secret, oldSecret] : [secret];
    return sealed.map((one) => openText(this.keyring, one, belongsTo(id)));
  }

  private async note(webhook: StoredWebhook, delivery: Delivery): Promise<void> {
    if (delivery.kind === 'sent') {
      if (webhook.failingSince !== null) await noteArrival(this.db, webhook.id);
      return;
    }
    const now = Math.round(this.clock.now());
    const since = webhook.failingSince ?? (await noteFailure(this.db, webhook.id, now));
    if (delivery.kind === 'giveUp' && delivery.receipt?.['status'] === GONE)
      await this.switchOff(webhook, 'the receiver answered 410: it is no more', now);
    else if (now - since >= OFF_AFTER_MS)
      await this.switchOff(webhook, `nothing arrived for three days; last: ${delivery.reason}`, now);
  }

  private async switchOff(webhook: StoredWebhook, reason: string, now: Instant): Promise<void> {
    await this.db.transaction(async (tx) => {
      if (!(await switchOff(tx, { id: webhook.id, reason, now }))) return;
      await appendAudit(tx, [
        {
          at: now,
          actor: 'system:reviews',
          action: 'webhook.switched_off',
          subject: `webhook:${webhook.id}`,
          data: { name: webhook.name, reason },
        },
      ]);
      await this.alerts.tell(tx, {
        key: `webhook.off:${webhook.id}:${now}`,
        subject: 'a webhook was switched off',
        lines: [`The webhook ${webhook.name} (${webhook.id}) was switched off: ${reason}.`],
        remedy:
          'Mend its receiver, switch it on (PATCH /api/v1/webhooks/{id} with isActive true) and replay what failed.',
      });
    });
  }
}
