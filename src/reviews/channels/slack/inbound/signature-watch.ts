import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { SlackAccess } from '../setup/slack-access.js';
import { addSignatures, signaturesSince } from '../sql/signatures.js';

const MINUTE_MS = 60_000;
/** So far back it is looked. */
export const SIGNATURE_MINUTES = 10;
// Anybody can post to us: however much they do, each process writes it down now and then.
const WRITE_EVERY_MS = 2000;

/**
 * Whether what is posted as from Slack is signed with our secret, for whoever set a wrong one and sees nothing arrive.
 * Counted on whichever node it comes in, told by all. It proves nothing: anybody can send what is signed with another
 * secret. But once one request fits, the secret is right, and the others are of no interest.
 */
@Injectable()
export class SignatureWatch {
  private refusals = 0;
  private believedIn = '';
  private writtenAt: Instant = -Infinity;
  private writing: Promise<void> = Promise.resolve();
  private isWriting = false;

  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
  ) {}

  /** One of our secrets signed a request. Once a minute says it. */
  believed(): void {
    const now = `${this.key().toString('hex')}:${this.minute()}`;
    if (now === this.believedIn) return;
    this.believedIn = now;
    this.write(true);
  }

  refused(): void {
    this.refusals += 1;
    if (this.isWriting || this.clock.now() - this.writtenAt < WRITE_EVERY_MS) return;
    this.write(false);
  }

  /** How many were refused in the last ten minutes, where none was believed. */
  async suspicious(): Promise<number> {
    if (this.refusals > 0) this.write(false);
    await this.writing;
    const since = this.minute() - SIGNATURE_MINUTES;
    const { refused, believed } = await signaturesSince(this.db, this.key(), since);
    return believed ? 0 : refused;
  }

  private write(believed: boolean): void {
    const refused = this.refusals;
    this.refusals = 0;
    this.writtenAt = this.clock.now();
    const minute = this.minute();
    const counted = { secretsSha256: this.key(), minute, refused, believed };
    this.isWriting = true;
    this.writing = this.writing
      .then(() => addSignatures(this.db, { ...counted, forgetBefore: minute - SIGNATURE_MINUTES }))
      .catch((error: unknown) => {
        // Only counts: what is asked next is counted again.
        this.log.debug({ err: error }, 'signatures of Slack were not counted');
      })
      .finally(() => {
        this.isWriting = false;
      });
  }

  private minute(): number {
    return Math.floor(this.clock.now() / MINUTE_MS);
  }

  /** Other secrets are counted anew. */
  private key(): Buffer {
    const secrets = this.access.settings?.signingSecrets ?? [];
    return createHash('sha256')
      .update(`slack-signing:${secrets.join(',')}`)
      .digest();
  }
}
