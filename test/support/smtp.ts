import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { callbackify } from 'node:util';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

/** A mail server in this process: keeps what it accepts, refuses what a test tells it to. */
export interface FakeSmtp {
  readonly url: string;
  readonly mails: ParsedMail[];
  /** Of the envelope of each mail: where its bounce goes to. */
  readonly returnPaths: string[];
  /** Largest message in bytes that came in. */
  readonly sizes: number[];
  /** Called for each recipient; return an SMTP code to refuse it. */
  refuseRecipient: (address: string) => number | { code: number; text: string } | undefined;
  /** Called after a message was read; `lose` accepts it and cuts the line before saying so. */
  onMessage: () => 'accept' | 'lose' | number;
  close(): Promise<void>;
}

export async function startSmtp(): Promise<FakeSmtp> {
  const fail = (responseCode: number): Error =>
    Object.assign(new Error('refused by the test'), { responseCode });
  /** Never resolves when the line is cut: the client hears nothing. */
  const take = async (stream: Readable, session: SMTPServerSession): Promise<void> => {
    const raw = await buffer(stream);
    const verdict = fake.onMessage();
    if (typeof verdict === 'number') throw fail(verdict);
    fake.mails.push(await simpleParser(raw));
    const { mailFrom } = session.envelope;
    fake.returnPaths.push(mailFrom === false ? '' : mailFrom.address);
    fake.sizes.push(raw.length);
    if (verdict === 'accept') return;
    for (const connection of server.connections) {
      const { session: theirs, _socket: socket } = connection as {
        session?: unknown;
        _socket?: { destroy(): void };
      };
      if (theirs === session) socket?.destroy();
    }
    await new Promise(() => undefined);
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo({ address }, _session, callback) {
      const said = fake.refuseRecipient(address);
      if (said === undefined) return callback(null);
      return callback(
        typeof said === 'number'
          ? fail(said)
          : Object.assign(new Error(said.text), { responseCode: said.code }),
      );
    },
    onData(stream, session, callback) {
      const taken = take(stream, session);
      callbackify(() => taken)(callback);
    },
  });
  // Clients that hang up are part of what is tested.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const fake: FakeSmtp = {
    url: `smtp://127.0.0.1:${port}`,
    mails: [],
    returnPaths: [],
    sizes: [],
    refuseRecipient: () => undefined,
    onMessage: () => 'accept',
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return fake;
}
