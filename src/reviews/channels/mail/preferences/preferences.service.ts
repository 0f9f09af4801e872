import { Inject, Injectable } from '@nestjs/common';
import { Keyring } from '../../../../access/keyring.js';
import { appendAudit } from '../../../../audit/audit.js';
import { Clock } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { mailPreference, setMailPreference, type MailPreference } from '../../../sql/mail-preferences.js';
import { personOfToken, unsubscribeToken } from './unsubscribe.js';

/** How much mail about reviews somebody wants. */
@Injectable()
export class MailPreferences {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Keyring) private readonly keyring: Keyring,
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  of(personId: string): Promise<MailPreference> {
    return mailPreference(this.db, personId);
  }

  async set(personId: string, wanted: MailPreference, by: string): Promise<void> {
    const at = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      if (!(await setMailPreference(tx, personId, wanted, at))) return;
      await appendAudit(tx, [
        { at, actor: by, action: 'mail.preference', subject: `user:${personId}`, data: { reviews: wanted } },
      ]);
    });
  }

  /** Where one click asks for less; undefined for an address that is nobody's account. */
  unsubscribeUrl(personId: string): string | undefined {
    const token = unsubscribeToken(this.keyring, personId);
    return token === undefined ? undefined : `${publicUrl(this.config)}/u/${token}`;
  }

  /** @returns the person whose link it is. */
  personOf(token: string): string | undefined {
    return personOfToken(this.keyring, token);
  }
}
