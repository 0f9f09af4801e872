import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { SlackSocket, type SocketEnvelope } from '../../../src/reviews/channels/slack/inbound/socket.js';
import { eventually } from '../../support/eventually.js';

/** No more of Slack than a connection: a test says what it sends, byte by byte. */
class BareSlack {
  readonly sockets: WebSocket[] = [];
  readonly acks: unknown[] = [];
  /** Waited for before the address of a connection is told. */
  beforeAddress: Promise<unknown> = Promise.resolve();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      request.resume();
      void this.beforeAddress.then(() =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ ok: true, url: `ws://127.0.0.1:${this.port}/link` })),
      );
    });
    new WebSocketServer({ server: this.server }).on('connection', (socket) => {
      this.sockets.push(socket);
      socket.on('message', (data: Buffer) => this.acks.push(JSON.parse(data.toString('utf8'))));
      socket.send(JSON.stringify({ type: 'hello', connection_info: { app_id: 'A0BARE' } }));
    });
  }

  static async start(): Promise<BareSlack> {
    const slack = new BareSlack();
    await new Promise<void>((resolve) => slack.server.listen(0, '127.0.0.1', resolve));
    return slack;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  send(message: string | Buffer): void {
    for (const socket of this.sockets) socket.send(message);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

describe('a connection over Slack’s SDK', () => {
  let slack: BareSlack;
  let socket: SlackSocket;
  let received: SocketEnvelope[];
  let nonsense: number;
  let apps: (string | undefined)[];
  const unhandled: unknown[] = [];
  const noted = (error: unknown): number => unhandled.push(error);

  beforeEach(async () => {
    [received, nonsense, apps] = [[], 0, []];
    unhandled.length = 0;
    process.on('unhandledRejection', noted);
    slack = await BareSlack.start();
    socket = new SlackSocket(
      { appToken: 'unused', apiUrl: `http://127.0.0.1:${slack.port}/api/` },
      pino({ level: 'silent' }),
      {
        greeted: (appId) => apps.push(appId),
        received: (envelope) => received.push(envelope),
        nonsense: () => {
          nonsense += 1;
        },
      },
    );
  });
  afterEach(async () => {
    await socket.close();
    await slack.close();
    process.off('unhandledRejection', noted);
    expect(unhandled).toEqual([]);
  });

  const envelope = (type: string, payload: unknown, id = 'e1'): string =>
    JSON.stringify({ type, envelope_id: id, accepts_response_payload: true, payload });

  it('hands envelopes on with what stands in them, and says what Slack is answered', async () => {
    await socket.open();
    expect(apps).toEqual(['A0BARE']);
    slack.send(envelope('interactive', { type: 'block_actions', a: [1] }));
    await eventually(() => received.length === 1);
    expect(received[0]).toMatchObject({ type: 'interactive', payload: { type: 'block_actions', a: [1] } });
    await received[0]?.ack({ response_action: 'clear' });
    await eventually(() => slack.acks.length === 1);
    expect(slack.acks).toEqual([{ envelope_id: 'e1', payload: { response_action: 'clear' } }]);
  });

  it('is steered by no event, whatever its type is called', async () => {
    await socket.open();
    const names = [
      'error',
      'close',
      'connected',
      'connecting',
      'disconnected',
      'disconnecting',
      'reconnecting',
      'authenticated',
      'ws_message',
      'slack_event',
      'outgoing_message',
      'sallyport_envelope',
      'hello',
      'disconnect',
      '__proto__',
      'constructor',
    ];
    for (const type of names) {
      slack.send(envelope('events_api', { type: 'event_callback', event_id: type, event: { type } }));
      slack.send(envelope(type === 'hello' || type === 'disconnect' ? 'x' : type, {}));
    }
    await eventually(() => received.length === 2 * names.length);
    slack.send(envelope('interactive', { type: 'block_actions' }));
    await eventually(() => received.at(-1)?.type === 'interactive');
    expect(await Promise.race([socket.ended, Promise.resolve('still open')])).toBe('still open');
  });

  it('is not broken by what Slack never sends', async () => {
    await socket.open();
    const junk = [
      '',
      '{',
      'null',
      '7',
      '[]',
      '"hello"',
      '{}',
      '{"type":7}',
      '{"type":"events_api"}',
      '{"type":"interactive","payload":{}}',
      '{"type":"interactive","envelope_id":"","payload":{}}',
      '{"type":"interactive","envelope_id":{"a":1},"payload":{}}',
      `{"type":"interactive","envelope_id":"e","payload":"${'x'.repeat(1024 * 1024)}"}`,
    ];
    for (const message of junk) slack.send(message);
    slack.send(Buffer.from([0, 255, 1]));
    // Without a payload it is an envelope all the same; whoever takes it says no.
    slack.send('{"type":"events_api","envelope_id":"e2"}');
    await eventually(() => received.length === 1);
    expect(received[0]).toMatchObject({ type: 'events_api', payload: undefined });
    expect(nonsense).toBe(junk.length + 1);
  });

  it('ends when Slack says so, and when it breaks', async () => {
    await socket.open();
    slack.send(JSON.stringify({ type: 'disconnect', reason: 'refresh_requested' }));
    expect(await socket.ended).toBe('the connection was closed');
  });

  it('is hung up when it was closed while its address was still asked for', async () => {
    let tell: (value?: unknown) => void = () => undefined;
    slack.beforeAddress = new Promise((resolve) => {
      tell = resolve;
    });
    const opening = socket.open().catch(() => undefined);
    await socket.close();
    tell();
    await eventually(() => slack.sockets.length === 1);
    await eventually(() => slack.sockets[0]?.readyState === 3, { what: 'hung up' });
    await opening;
    slack.send(envelope('interactive', {}));
    expect(received).toEqual([]);
  });

  it('closes within seconds though the other side does not answer', async () => {
    await socket.open();
    // A peer that reads nothing any more.
    slack.sockets[0]?.pause();
    const began = performance.now();
    await socket.close();
    expect(performance.now() - began).toBeLessThan(6000);
    expect(await socket.ended).toBe('the connection was closed');
  });
});
