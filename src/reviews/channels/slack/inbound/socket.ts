import type { SocketModeClient } from '@slack/socket-mode';
import { z } from 'zod';
import type { Log } from '../../../../ops/log.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { createSocketClient, type SocketSettings } from '../setup/slack-clients.js';
import { within } from '../within.js';

const CONNECT_MS = 20_000;
const CLOSE_MS = 2_000;
// Slack's own bound for a view is 250 kB; no honest message comes near.
const MAX_MESSAGE = 1024 * 1024;

/** The type under which the SDK hands an envelope on: one that it does not act upon itself. */
const OURS = 'sallyport_envelope';

const Message = z.looseObject({ type: z.string() });
const Hello = z.object({
  connection_info: z.object({ app_id: z.string().regex(/^[\w.-]{1,100}$/) }).optional(),
});
const Envelope = z.object({
  type: z.string(),
  envelope_id: z.string().min(1).max(200),
  payload: z.unknown().optional(),
});

/** Something that came in, to be acknowledged. */
export interface SocketEnvelope {
  readonly type: string;
  readonly payload: unknown;
  /** @throws when the connection is gone. */
  readonly ack: (body?: Readonly<Record<string, unknown>>) => Promise<void>;
}

export interface SocketListener {
  /** Slack greeted: the connection is good. */
  readonly greeted: (appId: string | undefined) => void;
  readonly received: (envelope: SocketEnvelope) => void;
  /** What came in was nothing that Slack sends. */
  readonly nonsense: () => void;
}

/**
 * One Socket Mode connection over Slack's SDK, from its opening to its end.
 *
 * The SDK emits what comes in under the name that stands in it, on the emitter on which it also tells itself of greetings
 * and breaks: an event of a type `disconnected` would end the connection, one without a payload the process. So each
 * message is looked at before the SDK sees it, and envelopes reach it inside one of ours.
 */
export class SlackSocket {
  private readonly client: SocketModeClient;
  private readonly over: Promise<string>;
  private isClosed = false;

  constructor(
    settings: SocketSettings,
    private readonly log: Log,
    private readonly listener: SocketListener,
  ) {
    this.client = createSocketClient(settings, log);
    this.over = new Promise((resolve) => {
      this.client.on('disconnected', () => resolve('the connection was closed'));
    });
    this.listen();
  }

  /** Connects, and waits for the greeting. @throws what kept it from connecting. */
  async open(): Promise<void> {
    const started = this.client.start();
    // Closed meanwhile, a start that was only asking for the address would connect all the same, and nobody would hang up.
    started.then(
      () => (this.isClosed ? this.hangUp() : undefined),
      () => undefined,
    );
    await within(CONNECT_MS, started);
  }

  /** Why it ended, once it has; never rejects. */
  get ended(): Promise<string> {
    return this.over;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.hangUp();
    this.client.removeAllListeners(OURS);
  }

  private async hangUp(): Promise<void> {
    try {
      // The SDK waits half a minute for a peer that does not answer; nobody stops a service for that.
      await within(CLOSE_MS, this.client.disconnect());
    } catch (error) {
      this.log.debug({ reason: slackErrorCode(error) }, 'the Slack connection did not close in time');
      // Asked again it no longer waits for the peer.
      void this.client.disconnect();
    }
  }

  private listen(): void {
    const { client, listener } = this;
    const [sdk] = client.listeners('ws_message');
    client.removeAllListeners('ws_message');
    client.on('ws_message', (data: unknown, isBinary: unknown) => {
      const pass = isBinary === true ? undefined : this.passed(data);
      if (pass === undefined) listener.nonsense();
      else sdk?.call(client, pass, false);
    });
    client.on(OURS, ({ ack, body }: { ack: SocketEnvelope['ack']; body: unknown }) => {
      const { type, payload } = body as Pick<SocketEnvelope, 'type' | 'payload'>;
      listener.received({ type, payload, ack });
    });
  }

  /** What the SDK is given of a message; `undefined` for one that it could stumble over. */
  private passed(data: unknown): string | undefined {
    if (typeof data !== 'string' || data.length > MAX_MESSAGE) return undefined;
    const message = Message.safeParse(jsonOf(data)).data;
    if (message === undefined) return undefined;
    if (message.type === 'hello') {
      this.listener.greeted(Hello.safeParse(message).data?.connection_info?.app_id);
      return JSON.stringify({ type: 'hello' });
    }
    if (message.type === 'disconnect') return JSON.stringify({ type: 'disconnect' });
    const { type, envelope_id, payload } = Envelope.safeParse(message).data ?? {};
    if (envelope_id === undefined) return undefined;
    return JSON.stringify({ type: OURS, envelope_id, payload: { type, payload } });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not from Slack, or torn; what is undefined is passed on to nobody.
    return undefined;
  }
}
