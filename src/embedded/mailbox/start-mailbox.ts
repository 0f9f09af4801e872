import { randomBytes } from 'node:crypto';
import { callbackify } from 'node:util';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { readBounded } from '../../outbound/mail/read-bounded.js';
import type { CaughtMail } from '../../outbound/mailbox/mailbox.js';
import { MailStore } from './mail-store.js';
import { readMail, type ReadMail } from './read-mail.js';

/** Where caught mails are kept and how many of them. */
export interface MailboxOptions {
  readonly directory: string;
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port?: number;
  /** Older mails than the newest this many are dropped. */
  readonly limit?: number;
  /** Larger mails are refused. */
  readonly maxBytes?: number;
  readonly now?: () => number;
}

/** An SMTP server on loopback that delivers nothing and shows everything. */
export interface EmbeddedMailbox {
  /** For a mailer; holds a password, so that nobody else on this machine can put mails in front of reviewers. */
  readonly smtpUrl: string;
  /** Newest first. */
  list(): Promise<readonly CaughtMail[]>;
  get(id: string): Promise<ReadMail | undefined>;
  close(): Promise<void>;
}

const LIMIT = 500;
const MAX_BYTES = 10 * 1024 * 1024;
const USER = 'sallyport';

/** Starts catching mail. A mail is acknowledged when it is on disk, and is still there after a restart. */
export async function startMailbox(options: MailboxOptions): Promise<EmbeddedMailbox> {
  const maxBytes = options.maxBytes ?? MAX_BYTES;
  const now = options.now ?? Date.now;
  const store = await MailStore.open(options.directory, options.limit ?? LIMIT);
  const password = randomBytes(18).toString('base64url');
  const server = new SMTPServer({
    name: 'sallyport-mailbox',
    size: maxBytes,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    maxClients: 20,
    socketTimeout: 30_000,
    closeTimeout: 1_000,
    onAuth: (given, _session, done) =>
      given.username === USER && given.password === password
        ? done(null, { user: USER })
        : done(new Error('Wrong user or password')),
    onData: (stream, session, done) => {
      const caught = catchMail(store, stream, session, maxBytes, now);
      callbackify(() => caught)(done);
    },
  });
  // What goes wrong on one connection is told to that client; without a listener it would end the process.
  server.on('error', () => undefined);
  const port = await listen(server, options.port ?? 0);
  return {
    smtpUrl: `smtp://${USER}:${password}@127.0.0.1:${port}`,
    list: () => Promise.resolve(store.list()),
    get: async (id) => {
      const mail = store.find(id);
      return mail === undefined ? undefined : readMail(mail, await store.source(id));
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

async function catchMail(
  store: MailStore,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  maxBytes: number,
  now: () => number,
): Promise<void> {
  const source = await readBounded(stream, maxBytes);
  if (source === undefined || stream.sizeExceeded) {
    throw Object.assign(new Error(`A mail may have ${maxBytes} bytes at most`), { responseCode: 552 });
  }
  const { mailFrom, rcptTo } = session.envelope;
  await store.add(source, {
    from: mailFrom === false ? '' : plain(mailFrom.address),
    to: rcptTo.slice(0, 100).map(({ address }) => plain(address)),
    subject: await subjectOf(source),
    date: new Date(now()).toISOString(),
  });
}

// Headers come first and are short; the body is looked at only when somebody opens the mail.
const HEADER_BYTES = 64 * 1024;

async function subjectOf(source: Buffer): Promise<string> {
  const start = source.subarray(0, HEADER_BYTES).toString('latin1');
  const end = start.search(/\r?\n\r?\n/);
  const headers = source.subarray(0, end === -1 ? HEADER_BYTES : end);
  // Loaded with the first mail: its tables of character sets take eighteen megabytes.
  const { simpleParser } = await import('mailparser');
  try {
    const { subject } = await simpleParser(Buffer.concat([headers, Buffer.from('\r\n\r\n')]));
    return plain(subject ?? '');
  } catch {
    return ''; // A mail without a readable subject is still a mail.
  }
}

/** One short line without control characters or marks that turn the writing direction. */
const plain = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 300);

function listen(server: SMTPServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const listening = server.listen(port, '127.0.0.1', () => {
      const address = listening.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
