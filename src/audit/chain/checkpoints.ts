import { Injectable } from '@nestjs/common';
import { sign, type KeyObject } from 'node:crypto';
import { Keyring } from '../../access/keyring.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { lastRestoration } from '../../database/sql/restoration.js';
import { Outbox } from '../../outbound/outbox.js';
import { AuditPlaces } from '../anchors/places.js';
import { chainHead, chainState, mayChain } from '../sql/chain.js';
import { insertCheckpoint, lastCheckpoint } from '../sql/checkpoints.js';
import { publicKeyOf, readPublicKey, signCheckpoint, signingKeyOf } from './checkpoint.js';

const EVERY_MS = 3_600_000;
const EVERY_EVENTS = 10_000;

/** Signs the head of the chain, each hour in which something was recorded and every 10,000 events, and has it kept elsewhere. */
@Injectable()
export class AuditCheckpoints {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly keyring: Keyring,
    private readonly outbox: Outbox,
    private readonly places: AuditPlaces,
  ) {}

  /** Signs one if it is time. @returns whether it did. */
  async signIfDue(): Promise<boolean> {
    const [head, last] = [await chainHead(this.db), await lastCheckpoint(this.db)];
    if (head === undefined || head.seq === last?.seq) return false;
    const isTime = this.clock.now() - (last?.at ?? -Infinity) >= EVERY_MS;
    if (!isTime && head.seq - (last?.seq ?? 0) < EVERY_EVENTS) return false;
    return this.db.transaction((tx) => this.sign(tx));
  }

  /** Who verifies needs no more than this. @returns `undefined` for a key that is not ours. */
  publicKey(keyId: string): KeyObject | undefined {
    const text = this.publicKeyText(keyId);
    return text === undefined ? undefined : readPublicKey(text);
  }

  /** The same as its 32 bytes; base64. */
  publicKeyText(keyId: string): string | undefined {
    const key = keyId.startsWith('audit-') ? this.keyring.named(keyId) : undefined;
    return key && publicKeyOf(signingKeyOf(key.key));
  }

  /** The key that signs now. */
  get current(): { readonly keyId: string; readonly publicKey: string } {
    const { id, key } = this.keyring.for('audit');
    return { keyId: id, publicKey: publicKeyOf(signingKeyOf(key)) };
  }

  /** Ed25519 by the key that signs now, base64. What is signed says itself what it is: a checkpoint is no other thing. */
  signatureOf(bytes: Buffer): string {
    return sign(null, bytes, signingKeyOf(this.keyring.for('audit').key)).toString('base64');
  }

  private async sign(tx: Queryable): Promise<boolean> {
    // The head stands still meanwhile.
    if (!(await mayChain(tx))) return false;
    const [head, { chainId: chain }] = [await chainHead(tx), await chainState(tx)];
    if (head === undefined) return false;
    const { id: keyId, key } = this.keyring.for('audit');
    const now = Math.round(this.clock.now());
    const said = {
      chain,
      seq: head.seq,
      head: head.hash.toString('hex'),
      at: new Date(now).toISOString(),
      keyId,
    };
    const signed = signCheckpoint(said, signingKeyOf(key));
    const signature = Buffer.from(signed.signature, 'base64');
    if (!(await insertCheckpoint(tx, { seq: head.seq, head: head.hash, at: now, keyId, signature })))
      return false;
    const life = (await lastRestoration(tx))?.id;
    await this.outbox.enqueue(tx, this.places.messages(signed, this.current.publicKey, now, life));
    return true;
  }
}
