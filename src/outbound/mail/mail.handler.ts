import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { OutboxHandler, type Delivery, type OutboxDelivery } from '../outbox.js';
import { Mailer } from './mailer.js';

const Payload = z.object({
  to: z.array(z.string().min(3).max(320)).min(1).max(100),
  subject: z.string().min(1).max(998),
  text: z.string(),
  html: z.string(),
  messageId: z.string().regex(/^[A-Za-z0-9._+-]{1,200}$/),
  inReplyTo: z
    .string()
    .regex(/^[A-Za-z0-9._+-]{1,200}$/)
    .optional(),
  attachments: z
    .array(z.object({ filename: z.string(), contentType: z.string(), contentBase64: z.string() }))
    .optional(),
});

/** Delivers messages of kind `mail` (payload: MailPayload). */
@Injectable()
export class MailHandler extends OutboxHandler {
  readonly kind = 'mail';
  override readonly concurrency = 2;
  override readonly timeoutSeconds = 60;

  constructor(private readonly mailer: Mailer) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a mail: ${payload.error.message}` };
    return this.mailer.send(payload.data);
  }
}
