import { callbackify } from 'node:util';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { CONFIG, type Config } from '../../../../config.js';
import { ConfigError } from '../../../../errors.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { readBounded } from '../../../../outbound/mail/read-bounded.js';
import { InboundMail } from './inbound-mail.js';

const MAX_BYTES = 1024 * 1024;
const MAX_CLIENTS = 20;
const SOCKET_MS = 30_000;

const failure = (responseCode: number, text: string): Error =>
  Object.assign(new Error(text), { responseCode });

/**
 * Takes the mail that our mail server passes on, in role notify. It is no server for the internet: it knows its own
 * addresses alone, speaks without TLS, and belongs on loopback or a private network.
 */
@Injectable()
export class MailListener implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private server: SMTPServer | undefined;
  /** Where it listens; for whoever asked for port 0. */
  port: number | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly inbound: InboundMail,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { MAIL_IN_LISTEN: where, ROLES: roles } = this.config;
    if (where === undefined || !roles.includes('notify')) return;
    const colon = where.lastIndexOf(':');
    const host = where.slice(0, colon).replaceAll(/^\[|\]$/g, '');
    this.server = this.made();
    this.port = await listen(this.server, host, Number(where.slice(colon + 1)));
    this.log.info({ host, port: this.port }, 'mail comes in');
  }

  async beforeApplicationShutdown(): Promise<void> {
    const { server } = this;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(resolve));
  }

  private made(): SMTPServer {
    const server = new SMTPServer({
      name: 'sallyport',
      banner: 'answers and bounces',
      size: MAX_BYTES,
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      logger: false,
      maxClients: MAX_CLIENTS,
      socketTimeout: SOCKET_MS,
      closeTimeout: 1_000,
      onRcptTo: ({ address }, session, done) => {
        const checked = this.recipient(address, session);
        callbackify(() => checked)(done);
      },
      onData: (stream, session, done) => {
        const taken = this.take(stream, session);
        callbackify(() => taken)(done);
      },
    });
    // What goes wrong on one connection is told to that client; without a listener it would end the process.
    server.on('error', (error) => this.log.debug({ err: error }, 'a connection with mail broke'));
    return server;
  }

  private async recipient(address: string, session: SMTPServerSession): Promise<void> {
    if (session.envelope.rcptTo.length > 0) throw failure(452, '4.5.3 One recipient at a time');
    if ((await this.orLater(this.inbound.addressee(address))) === undefined)
      throw failure(550, '5.1.1 No mail is taken at this address (any more)');
  }

  private async take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    const raw = await readBounded(stream, MAX_BYTES);
    if (raw === undefined || stream.sizeExceeded)
      throw failure(552, `5.3.4 A reply may have ${MAX_BYTES} bytes at most`);
    const address = session.envelope.rcptTo[0]?.address ?? '';
    const answer = await this.orLater(this.inbound.take(address, raw));
    if (answer.code !== 250) throw failure(answer.code, answer.text);
    return answer.text;
  }

  /** What we could not do now comes again: the sending server keeps it. */
  private async orLater<T>(doing: Promise<T>): Promise<T> {
    try {
      return await doing;
    } catch (error) {
      this.log.warn({ err: error }, 'a mail could not be taken now');
      throw failure(451, '4.3.0 Not now; try again later');
    }
  }
}

function listen(server: SMTPServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void =>
      reject(
        new ConfigError(`MAIL_IN_LISTEN: cannot listen on ${host}:${port} (${error.code ?? error.message}).`),
      );
    server.once('error', fail);
    const listening = server.listen(port, host, () => {
      server.off('error', fail);
      const address = listening.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
