import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import { CONFIG, type Config } from '../../config.js';
import type { Delivery, MailPayload } from '../outbox.js';
import { dkimOf, domainOf, type Dkim } from './dkim.js';
import { MailTransport } from './mail-transport.js';

const CONNECT_MS = 10_000;
const SOCKET_MS = 15_000;
const RETRY_WITHOUT_TRANSPORT_SECONDS = 5;

interface SmtpError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/**
 * Sends one mail through a pooled connection.
 *
 * The answer of a mail server is data: a refusal for good (5xx about the addresses or the message) gives up, anything
 * else is tried again; a connection that broke after the message was handed over is ambiguous.
 */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private pool: { readonly url: string; readonly transporter: Transporter } | undefined;
  /** Signs what leaves; absent without a key. */
  readonly dkim: Dkim | undefined;

  /** @throws ConfigError for a key that cannot sign. */
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly transport: MailTransport,
  ) {
    this.dkim = dkimOf(config);
  }

  async send(mail: MailPayload): Promise<Delivery> {
    const url = this.transport.smtpUrl();
    if (url === undefined) {
      return {
        kind: 'retry',
        reason: 'there is no mail server yet',
        afterSeconds: RETRY_WITHOUT_TRANSPORT_SECONDS,
      };
    }
    try {
      const info = (await this.transporter(url).sendMail({
        from: this.config.MAIL_FROM,
        to: [...mail.to],
        ...(mail.replyTo === undefined ? {} : { replyTo: mail.replyTo }),
        ...(mail.returnPath === undefined ? {} : { envelope: { from: mail.returnPath, to: [...mail.to] } }),
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        messageId: this.fullId(mail.messageId),
        ...(mail.inReplyTo === undefined
          ? {}
          : { inReplyTo: this.fullId(mail.inReplyTo), references: [this.fullId(mail.inReplyTo)] }),
        headers: {
          'Auto-Submitted': 'auto-generated',
          'X-Auto-Response-Suppress': 'All',
          ...(mail.unsubscribe === undefined
            ? {}
            : {
                'List-Unsubscribe': `<${mail.unsubscribe}>`,
                'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
              }),
        },
        attachments: (mail.attachments ?? []).map((attachment) => ({
          filename: attachment.filename,
          contentType: attachment.contentType,
          content: Buffer.from(attachment.contentBase64, 'base64'),
        })),
        disableFileAccess: true,
        disableUrlAccess: true,
      })) as { response?: string; rejected?: unknown[] };
      return {
        kind: 'sent',
        receipt: { response: info.response ?? '', rejected: (info.rejected ?? []).map(String) },
      };
    } catch (error) {
      return verdictOf(error as SmtpError);
    }
  }

  /** Logs in and out again, with a connection of its own. @returns what is wrong, or undefined. */
  async verify(): Promise<string | undefined> {
    const url = this.transport.smtpUrl();
    if (url === undefined) return 'there is no mail server yet';
    const transporter = openPool(url, undefined);
    try {
      await transporter.verify();
      return undefined;
    } catch (error) {
      const { code = 'error', responseCode = '', message } = error as SmtpError;
      return `${code} ${responseCode} ${message}`.replaceAll(/\s+/g, ' ').slice(0, 300);
    } finally {
      transporter.close();
    }
  }

  /** After the outbox has stopped, whose last mail may be on its way until then. */
  onApplicationShutdown(): void {
    this.pool?.transporter.close();
    this.pool = undefined;
  }

  /** `<local@domain of MAIL_FROM>`: the same mail sent twice has the same id, and readers show it once. */
  private fullId(local: string): string {
    return `<${local}@${domainOf(this.config.MAIL_FROM)}>`;
  }

  private transporter(url: string): Transporter {
    if (this.pool?.url !== url) {
      this.pool?.transporter.close();
      this.pool = { url, transporter: openPool(url, this.dkim) };
    }
    return this.pool.transporter;
  }
}

function openPool(url: string, dkim: Dkim | undefined): Transporter {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url);
  const secure = protocol === 'smtps:';
  return createTransport({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    ...(username === ''
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    // A password never travels in the clear, except to this machine itself.
    requireTLS:
      searchParams.get('requireTLS') === 'true' || (username !== '' && !secure && !isLoopback(hostname)),
    ...(dkim === undefined
      ? {}
      : { dkim: { domainName: dkim.domain, keySelector: dkim.selector, privateKey: dkim.privateKey } }),
    pool: true,
    maxConnections: 2,
    maxMessages: 100,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SOCKET_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);

// Codes under which nothing of the message was handed over. A line that broke later looks the same to nodemailer
// whether the message was taken or not.
const NOTHING_SENT = new Set(['EDNS', 'ETLS', 'EAUTH', 'ENOAUTH', 'EENVELOPE']);

function verdictOf(error: SmtpError): Delivery {
  const { code = 'error', responseCode, response, message } = error;
  const reason = `${code} ${responseCode ?? ''} ${message}`.replace(/\s+/g, ' ');
  const isAboutTheMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  // Without a code of the server, nodemailer itself found an address that no server would take.
  if (isAboutTheMail && (responseCode ?? 599) >= 500) {
    const said = /\b5\.\d{1,3}\.\d{1,3}\b/.exec(response ?? '')?.[0];
    return { kind: 'giveUp', reason, ...(said === undefined ? {} : { mailStatus: said }) };
  }
  const neverConnected = NOTHING_SENT.has(code) || message.startsWith('connect ');
  return { kind: 'retry', reason, ambiguous: responseCode === undefined && !neverConnected };
}
