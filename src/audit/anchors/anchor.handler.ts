import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
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
import type { ObjectRef } from '../../verdicts/ledger.js';
import { insertAnchor } from '../sql/checkpoints.js';
import { AUDIT_ANCHOR } from './places.js';

const DAY_MS = 86_400_000;

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
  life: z.uuid().optional(),
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
    @Inject(CONFIG) private readonly config: Pick<Config, 'AUDIT_LOCK_DAYS' | 'AUDIT_LOCK_MODE'>,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a checkpoint: ${payload.error.message}` };
    const { endpointId, bucket, to } = payload.data;
    const { delivery, lockedUntil }: Kept =
      bucket === undefined || endpointId === undefined
        ? { delivery: await this.mailer.send(mailOf(payload.data, to ?? [])) }
        : await this.store(payload.data, { endpointId, bucket });
    if (delivery.kind !== 'sent') return delivery;
    const place = bucket === undefined ? 'mail' : `s3://${bucket}`;
    const { seq } = payload.data.checkpoint;
    await insertAnchor(this.db, { seq, place, at: Math.round(this.clock.now()), lockedUntil });
    return delivery;
  }

  private async store(
    { checkpoint, publicKey, life }: Payload,
    where: { readonly endpointId: string; readonly bucket: string },
  ): Promise<Kept> {
    // Twelve digits, so that a listing is in the order of the chain.
    const folder = `audit/${checkpoint.chain}${life === undefined ? '' : `/restored-${life}`}`;
    const key = `${folder}/${String(checkpoint.seq).padStart(12, '0')}.json`;
    try {
      const text = `${JSON.stringify({ ...checkpoint, publicKey }, undefined, 2)}\n`;
      const { versionId, eTag } = await this.storage.put({ ...where, key }, text, {
        contentType: 'application/json',
      });
      const lock = await this.lock({ ...where, key, versionId });
      const { lockedUntil } = lock;
      return { delivery: { kind: 'sent', receipt: { key, eTag, versionId, ...lock } }, lockedUntil };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return { delivery: { kind: 'retry', reason: `AUDIT_BUCKET: ${error.message}` } };
    }
  }

  /**
   * Locks what was just written, where that can be; what the bucket locked by itself longer stays so. Never fails: most
   * buckets have no object lock, and many endpoints know none.
   */
  private async lock(
    ref: ObjectRef,
  ): Promise<{ readonly lockedUntil?: number; readonly lockRefused?: string }> {
    const { AUDIT_LOCK_DAYS: days, AUDIT_LOCK_MODE: mode } = this.config;
    const { versionId } = ref;
    let lockRefused: string | undefined;
    // Only versions can be locked.
    if (days > 0 && versionId !== undefined) {
      const until = new Date(Math.round(this.clock.now()) + days * DAY_MS);
      lockRefused = await refusalOf(() => this.storage.retain({ ...ref, versionId }, { mode, until }));
    }
    // What is said of it counts, not what was asked for: some take the order, and lock nothing.
    let lockedUntil: number | undefined;
    const unknown = await refusalOf(async () => {
      const { retainUntil } = (await this.storage.head(ref)).lock;
      if (retainUntil !== undefined) lockedUntil = Date.parse(retainUntil);
    });
    const refused = lockedUntil === undefined ? (lockRefused ?? unknown) : undefined;
    return {
      ...(lockedUntil !== undefined && { lockedUntil }),
      ...(refused !== undefined && { lockRefused: refused }),
    };
  }
}

/** What came of a delivery, and until when nobody can take the copy away. */
interface Kept {
  readonly delivery: Delivery;
  readonly lockedUntil?: number | undefined;
}

/** What S3 said against it; undefined where it did it. */
async function refusalOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return error.message;
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
