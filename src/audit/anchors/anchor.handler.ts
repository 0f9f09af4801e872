import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { Mailer } from '../../outbound/mail/mailer.js';
import {
  OutboxHandler,
  type Delivery,
  type OutboxDelivery,
  type MailPayload,
} from '../../outbound/outbox.js';
import { escapeHtml } from '../../outbound/safe-text.js';
import { ObjectStorage } from '../../s3/object-storage.js';
import { StorageError } from '../../s3/storage-error.js';
import { insertAnchor } from '../sql/checkpoints.js';
import { AUDIT_ANCHOR } from './places.js';

const Payload = z.object({
  checkpoint: z.object({
    chain: z.uuid(),
    seq: z.number().int(),
    head: z.string(),
    at: z.string(),
    keyId: z.string(),
    signature: z.string(),
  }),
  publicKey: z.string(),
  endpointId: z.string().optional(),
  bucket: z.string().optional(),
  to: z.array(z.string()).optional(),
});
type Payload = z.infer<typeof Payload>;

/** Writes a checkpoint where this database cannot reach it any more, and notes that it is there. */
@Injectable()
export class AuditAnchorHandler extends OutboxHandler {
  readonly kind = AUDIT_ANCHOR;
  override readonly concurrency = 1;
  override readonly timeoutSeconds = 60;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly storage: ObjectStorage,
    private readonly mailer: Mailer,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a checkpoint: ${payload.error.message}` };
    const { endpointId, bucket, to } = payload.data;
    const delivery =
      bucket === undefined || endpointId === undefined
        ? await this.mailer.send(mailOf(payload.data, to ?? []))
        : await this.store(payload.data, { endpointId, bucket });
    if (delivery.kind !== 'sent') return delivery;
    const place = bucket === undefined ? 'mail' : `s3://${bucket}`;
    await insertAnchor(this.db, payload.data.checkpoint.seq, place, Math.round(this.clock.now()));
    return delivery;
  }

  private async store(
    { checkpoint, publicKey }: Payload,
    where: { readonly endpointId: string; readonly bucket: string },
  ): Promise<Delivery> {
    // Twelve digits, so that a listing is in the order of the chain.
    const key = `audit/${checkpoint.chain}/${String(checkpoint.seq).padStart(12, '0')}.json`;
    try {
      const text = `${JSON.stringify({ ...checkpoint, publicKey }, undefined, 2)}\n`;
      const { versionId, eTag } = await this.storage.put({ ...where, key }, text, {
        contentType: 'application/json',
      });
      return { kind: 'sent', receipt: { key, eTag, ...(versionId === undefined ? {} : { versionId }) } };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return { kind: 'retry', reason: `AUDIT_BUCKET: ${error.message}` };
    }
  }
}

function mailOf({ checkpoint, publicKey }: Payload, to: readonly string[]): MailPayload {
  const { chain, seq, head, at, keyId, signature } = checkpoint;
  const lines = [
    `Up to ${at} the audit record had ${seq} events. Keep this mail: it shows whether that record was changed later.`,
    `chain: ${chain}`,
    `events: ${seq}`,
    `head (SHA-256): ${head}`,
    `key: ${keyId} (Ed25519 ${publicKey})`,
    `signature: ${signature}`,
    'To compare: sallyport audit verify --seq and --head as above.',
  ];
  return {
    to,
    subject: `Sallyport: audit checkpoint ${at.slice(0, 10)}, ${seq} events`,
    text: `${lines.join('\n')}\n`,
    html: `<!doctype html><html lang="en"><body>\n${lines.map((line) => `<p style="overflow-wrap:anywhere">${escapeHtml(line)}</p>`).join('\n')}\n</body></html>`,
    messageId: `audit-${chain}-${seq}`,
  };
}
