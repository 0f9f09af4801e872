import { createHash } from 'node:crypto';
import { resolve } from 'node:dns/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { ParsedMail } from 'mailparser';
import { Clock } from '../../../../clock.js';
import { CONFIG, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { findLinkByMail, type ReviewLink } from '../../../sql/links.js';
import { mailTokenHash, readInboundAddress, type InboundKind } from './addresses.js';
import { readDeliveryStatus } from './bounce.js';
import { MailBounces } from './mail-bounces.js';
import { MailReplies } from './mail-replies.js';
import {
  proveByHeader,
  proveBySignature,
  type DnsLookup,
  type HeaderLine,
  type SenderProof,
} from './sender-proof.js';

/** What the sending server is told (RFC 5321), with the status of RFC 3463 in front of the text. */
export interface SmtpAnswer {
  readonly code: 250 | 451 | 550;
  readonly text: string;
}

const taken = (text: string): SmtpAnswer => ({ code: 250, text: `2.0.0 ${text}` });
const refused = (text: string): SmtpAnswer => ({ code: 550, text });

/** Injection token of the {@link DnsLookup}. */
export const DNS_LOOKUP = Symbol('DNS_LOOKUP');
export const systemDns: DnsLookup = (name, type) => resolve(name, type);

/**
 * Mail that comes in: answers and bounces. Each is done with before it is acknowledged; what could not be done is
 * refused for now, and the sending server brings it again.
 */
@Injectable()
export class InboundMail {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(DNS_LOOKUP) private readonly lookup: DnsLookup,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly replies: MailReplies,
    private readonly bounces: MailBounces,
  ) {}

  /** Whose answer or bounce an address takes; undefined where it is none of ours, or no longer. */
  async addressee(given: string): Promise<{ kind: InboundKind; link: ReviewLink } | undefined> {
    const read = readInboundAddress(this.config.MAIL_IN_ADDRESS ?? '', given);
    if (read === undefined) return undefined;
    const link = await findLinkByMail(this.db, mailTokenHash(read.token));
    // A bounce may come late; an answer is worth no more than the link.
    const isOver = link !== undefined && read.kind === 'reply' && link.expiresAt <= this.clock.now();
    return link === undefined || isOver ? undefined : { kind: read.kind, link };
  }

  async take(given: string, raw: Buffer): Promise<SmtpAnswer> {
    const addressee = await this.addressee(given);
    if (addressee === undefined) return refused('5.1.1 No mail is taken at this address (any more)');
    // Loaded with the first mail: a service that takes none does without its tables of character sets.
    const { simpleParser } = await import('mailparser');
    const mail = await simpleParser(raw, {
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipImageLinks: true,
      skipTextLinks: true,
      keepDeliveryStatus: true,
    });
    const { kind, link } = addressee;
    return kind === 'bounce' ? this.bounce(link, mail) : this.reply(link, mail, raw);
  }

  private async bounce(link: ReviewLink, mail: ParsedMail): Promise<SmtpAnswer> {
    for (const { contentType, content } of mail.attachments) {
      if (contentType !== 'message/delivery-status') continue;
      const status = readDeliveryStatus(content);
      if (status?.action === 'failed') await this.bounces.failed(link, status);
    }
    return taken('Thank you');
  }

  private async reply(link: ReviewLink, mail: ParsedMail, raw: Buffer): Promise<SmtpAnswer> {
    const digest = createHash('sha256')
      .update(mail.messageId ?? raw)
      .digest();
    if (isAutomatic(mail)) {
      await this.replies.automatic(link, digest);
      return taken('An automatic answer changes nothing');
    }
    const proof = await this.proof(raw, headerLines(mail));
    if (proof.kind === 'unknown') return { code: 451, text: '4.4.3 DNS did not answer; try again later' };
    if (proof.kind === 'unproved')
      return refused(
        `5.7.1 This could not be proved to come from its sender: ${proof.why}. Decide on the web page`,
      );
    if (proof.address !== link.email.toLowerCase())
      return refused('5.7.1 This address takes answers of the person alone whom the mail was for');
    await this.replies.take(link, mail.text ?? '', digest);
    return taken('Taken');
  }

  private proof(raw: Buffer, headers: readonly HeaderLine[]): Promise<SenderProof> {
    const { MAIL_IN_AUTHSERV_ID: authservId } = this.config;
    return authservId === undefined
      ? proveBySignature(raw, headers, this.lookup)
      : Promise.resolve(proveByHeader(headers, authservId));
  }
}

const headerLines = (mail: ParsedMail): HeaderLine[] =>
  mail.headerLines.map(({ key, line }) => ({ key: key.toLowerCase(), line }));

/** Answers of machines (RFC 3834), lists and absences: none of them decides, and none is answered. */
function isAutomatic(mail: ParsedMail): boolean {
  const header = (name: string): string =>
    headerLines(mail)
      .filter(({ key }) => key === name)
      .map(({ line }) =>
        line
          .slice(line.indexOf(':') + 1)
          .trim()
          .toLowerCase(),
      )
      .join(' ');
  const automatic = header('auto-submitted');
  return (
    (automatic !== '' && !automatic.startsWith('no')) ||
    /\b(bulk|junk|list|auto_reply)\b/.test(header('precedence')) ||
    ['x-autoreply', 'x-autorespond', 'x-auto-response', 'list-id'].some((name) => header(name) !== '')
  );
}
