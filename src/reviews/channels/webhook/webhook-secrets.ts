import { Injectable } from '@nestjs/common';
import { Keyring } from '../../../access/keyring.js';
import { sealText } from '../../../access/sealing.js';
import { newSecret } from './signature.js';

/** What an encrypted secret opens for. */
export const belongsTo = (webhookId: string): string => `webhook ${webhookId}`;

/** Makes secrets: in the clear for whoever subscribes, once, and encrypted for the database. */
@Injectable()
export class WebhookSecrets {
  constructor(private readonly keyring: Keyring) {}

  make(webhookId: string): { readonly plain: string; readonly sealed: string } {
    const plain = newSecret();
    return { plain, sealed: sealText(this.keyring.for('credentials'), plain, belongsTo(webhookId)) };
  }
}
