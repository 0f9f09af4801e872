import type { AddressInfo } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';

/** A mail server in this process: keeps what it accepts, refuses what a test tells it to. */
export interface FakeSmtp {
  readonly url: string;
  readonly mails: ParsedMail[];
  /** Largest message in bytes that came in. */
  readonly sizes: number[];
  /** Called for each recipient; return an SMTP code to refuse it. */
  refuseRecipient: (address: string) => number | undefined;
  /** Called after a message was read; `lose` accepts it and cuts the line before saying so. */
  onMessage: () => 'accept' | 'lose' | number;
  close(): Promise<void>;
}

export async function startSmtp(): Promise<FakeSmtp> {
  const fail = (responseCode: number): Error =>
    Object.assign(new Error('refused by the test'), { responseCode });
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo({ address }, _session, callback) {
      const code = fake.refuseRecipient(address);
      callback(code === undefined ? null : fail(code));
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks);
        const verdict = fake.onMessage();
        if (typeof verdict === 'number') {
          callback(fail(verdict));
          return;
        }
        simpleParser(raw).then(
          (mail) => {
            fake.mails.push(mail);
            fake.sizes.push(raw.length);
            if (verdict === 'lose') {
              const connection = [...server.connections].find(
                (candidate) => (candidate as { session?: unknown }).session === session,
              ) as { _socket?: { destroy(): void } } | undefined;
              connection?._socket?.destroy();
              return;
            }
            callback(null);
          },
          (error: unknown) => callback(error as Error),
        );
      });
    },
  });
  // Clients that hang up are part of what is tested.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const fake: FakeSmtp = {
    url: `smtp://127.0.0.1:${port}`,
    mails: [],
    sizes: [],
    refuseRecipient: () => undefined,
    onMessage: () => 'accept',
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return fake;
}
