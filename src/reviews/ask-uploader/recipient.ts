import type { Uploader } from '../uploader/resolve.js';

/** Whom a question to the uploader goes to. */
export interface Recipient {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  /** An admin or the definition says who it is; else only the names agree. */
  readonly isConfirmed: boolean;
}

/** Nobody can be asked: why, and what mends it. */
export interface NobodyToAsk {
  readonly whyNot: string;
}

/** @param allowedDomains to which mails may go where there is no account. */
export function recipientOf(uploader: Uploader, allowedDomains: readonly string[]): Recipient | NobodyToAsk {
  if ('account' in uploader) {
    const { id, name, email, disabled } = uploader.account;
    if (disabled)
      return { whyNot: `The account of ${name}, who uploaded it, is disabled. Ask somebody else.` };
    if (email === undefined || email === '')
      return {
        whyNot: `The account of ${name}, who uploaded it, has no mail address. An admin can add one.`,
      };
    return { id, name, email, isConfirmed: uploader.how !== 'likely' };
  }
  switch (uploader.how) {
    case 'mapped': {
      const { email } = uploader;
      const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
      if (!allowedDomains.includes(domain))
        return {
          whyNot: `Whoever uploaded it has no account, and mails to ${domain} are not allowed. An operator can add it to UPLOADER_MAIL_DOMAINS.`,
        };
      return { id: `mail:${email.toLowerCase()}`, name: email, email, isConfirmed: true };
    }
    case 'service':
      return { whyNot: 'A machine uploaded it, so that there is nobody to ask.' };
    case 'unknown':
      return {
        whyNot:
          'Nobody knows who uploaded it. An admin can say who the principal is (POST /api/v1/uploader-identities).',
      };
    default:
      return uploader satisfies never;
  }
}
