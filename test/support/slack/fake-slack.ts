import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { blockProblems, viewProblems } from './limits.js';

type Args = Record<string, string>;
type Json = Record<string, unknown>;

export interface FakeMessage {
  readonly channel: string;
  readonly ts: string;
  text: string;
  blocks: Json[];
  readonly metadata?: Json | undefined;
  /** Number of chat.update calls. */
  updates: number;
}

export interface FakeUser {
  readonly id: string;
  readonly name: string;
  readonly teamId?: string;
}

/** One answer that differs from the usual one. `lose`: Slack does it, and the line breaks before it says so. */
export type Mishap =
  | { readonly kind: 'rateLimited'; readonly retryAfter: number }
  | { readonly kind: 'lose' }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'error'; readonly error: string };

const SCOPES: Readonly<Record<string, string>> = {
  'chat.postMessage': 'chat:write',
  'chat.update': 'chat:write',
  'chat.postEphemeral': 'chat:write',
  'conversations.history': 'channels:history',
};

const TRIGGER_LIVES_MS = 3000;
const ACK_WITHIN_MS = 3000;

/**
 * Slack as far as reviews use it: the web API over HTTP and Socket Mode over a WebSocket, for the real SDK.
 *
 * It refuses what Slack refuses (unknown tokens, missing scopes, blocks above the limits, more than one message per
 * second and channel, stale triggers) and plays the mishaps that a test scripts.
 */
export class FakeSlack {
  // Made here, so that no token stands in a file.
  readonly botToken = `xoxb-${randomBytes(12).toString('hex')}`;
  readonly appToken = `xapp-${randomBytes(12).toString('hex')}`;
  readonly teamId = 'T0HOME';
  readonly channel = 'C0REVIEWS';
  readonly messages: FakeMessage[] = [];
  readonly whispers: { user: string; channel: string; text: string; blocks: Json[] }[] = [];
  readonly calls: { method: string; args: Args }[] = [];
  scopes = ['chat:write', 'channels:history'];
  /** Time by which the pace of messages is judged. */
  now: () => number = Date.now;
  /** Open modals by user. */
  readonly views = new Map<string, Json>();

  private readonly mishaps = new Map<string, Mishap[]>();
  private readonly triggers = new Map<string, { user: string; at: number }>();
  private readonly sockets = new Set<WebSocket>();
  private readonly acks = new Map<string, (payload: Json) => void>();
  private readonly lastPost = new Map<string, number>();
  private readonly server = createServer((request, response) => void this.answer(request, response));
  private readonly socketServer = new WebSocketServer({ server: this.server });
  private counter = 0;

  static async start(): Promise<FakeSlack> {
    const fake = new FakeSlack();
    fake.socketServer.on('connection', (socket) => fake.greet(socket));
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  private constructor() {}

  get apiUrl(): string {
    return `http://127.0.0.1:${this.port}/api/`;
  }

  get connections(): number {
    return this.sockets.size;
  }

  /** The next calls of a method go wrong in these ways, one after the other. */
  script(method: string, ...mishaps: Mishap[]): void {
    this.mishaps.set(method, [...(this.mishaps.get(method) ?? []), ...mishaps]);
  }

  /** Somebody clicks a button of a message. @returns what the service acknowledged with. */
  async click(message: FakeMessage, actionId: string, user: FakeUser): Promise<Json> {
    const button = buttonsOf(message.blocks).find((element) => element['action_id'] === actionId);
    if (button === undefined) throw new Error(`there is no button ${actionId}; Slack would not show one`);
    const triggerId = `trigger.${randomBytes(6).toString('hex')}`;
    this.triggers.set(triggerId, { user: user.id, at: performance.now() });
    return this.deliver({
      type: 'block_actions',
      team: { id: user.teamId ?? this.teamId },
      user: { id: user.id, username: user.name, name: user.name, team_id: user.teamId ?? this.teamId },
      trigger_id: triggerId,
      api_app_id: 'A0FAKE',
      container: { type: 'message', message_ts: message.ts, channel_id: message.channel },
      channel: { id: message.channel, name: 'reviews' },
      message: { ts: message.ts, blocks: message.blocks },
      actions: [
        { type: 'button', action_id: actionId, block_id: 'b', value: button['value'], action_ts: '1.1' },
      ],
    });
  }

  /** Somebody sends the modal that is open for them. @returns the acknowledgement, which may hold errors. */
  async submit(user: FakeUser, values: Record<string, Record<string, string | null>>): Promise<Json> {
    const view = this.views.get(user.id);
    if (view === undefined) throw new Error(`no modal is open for ${user.id}`);
    const state = Object.fromEntries(
      Object.entries(values).map(([block, actions]) => [
        block,
        Object.fromEntries(
          Object.entries(actions).map(([action, value]) => [action, { type: 'plain_text_input', value }]),
        ),
      ]),
    );
    const ack = await this.deliver({
      type: 'view_submission',
      team: { id: user.teamId ?? this.teamId },
      user: { id: user.id, username: user.name, name: user.name, team_id: user.teamId ?? this.teamId },
      view: { ...view, id: 'V1', hash: 'h', state: { values: state } },
    });
    if (ack['response_action'] === undefined) this.views.delete(user.id);
    if (ack['response_action'] === 'update') {
      const next = ack['view'] as Json;
      const problems = viewProblems(next);
      if (problems.length > 0) throw new Error(`Slack would refuse the view: ${problems.join('; ')}`);
      this.views.set(user.id, next);
    }
    return ack;
  }

  /** Slack recycles the connection, as it does every few hours; `abruptly` without saying so. */
  dropConnections(abruptly = false): void {
    for (const socket of this.sockets) {
      if (abruptly) socket.terminate();
      else socket.send(JSON.stringify({ type: 'disconnect', reason: 'refresh_requested' }));
    }
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    this.socketServer.close();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private greet(socket: WebSocket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const { envelope_id: id, payload } = JSON.parse(data.toString('utf8')) as {
        envelope_id: string;
        payload?: Json;
      };
      this.acks.get(id)?.(payload ?? {});
    });
    socket.send(JSON.stringify({ type: 'hello', num_connections: this.sockets.size }));
  }

  /** Each payload goes to one of the sockets, and must be acknowledged within three seconds. */
  private deliver(payload: Json): Promise<Json> {
    const [socket] = this.sockets;
    if (socket === undefined) throw new Error('nobody is connected; Slack would show an error');
    const id = randomBytes(8).toString('hex');
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('not acknowledged within 3 s')), ACK_WITHIN_MS);
      this.acks.set(id, (ack) => {
        clearTimeout(timer);
        this.acks.delete(id);
        resolve(ack);
      });
      socket.send(
        JSON.stringify({ envelope_id: id, type: 'interactive', accepts_response_payload: true, payload }),
      );
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = (request.url ?? '').replace(/^\/api\//, '');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const args = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
    this.calls.push({ method, args });
    const mishap = this.mishaps.get(method)?.shift();
    if (mishap?.kind === 'rateLimited') {
      response.writeHead(429, { 'retry-after': String(mishap.retryAfter) }).end();
      return;
    }
    if (mishap?.kind === 'status') {
      response.writeHead(mishap.status).end('trouble');
      return;
    }
    const result = mishap?.kind === 'error' ? fail(mishap.error) : this.perform(method, args, request);
    if (mishap?.kind === 'lose') {
      request.socket.destroy();
      return;
    }
    if (result['error'] === 'ratelimited') {
      response.writeHead(429, { 'retry-after': '1' }).end();
      return;
    }
    response
      .writeHead(200, { 'content-type': 'application/json', 'x-oauth-scopes': this.scopes.join(',') })
      .end(JSON.stringify(result));
  }

  private perform(method: string, args: Args, request: IncomingMessage): Json {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? args['token'];
    const expected = method === 'apps.connections.open' ? this.appToken : this.botToken;
    if (token !== expected) return fail('invalid_auth');
    const scope = SCOPES[method];
    if (scope !== undefined && !this.scopes.includes(scope))
      return { ...fail('missing_scope'), needed: scope };
    switch (method) {
      case 'auth.test':
        return { ok: true, team: 'Home', team_id: this.teamId, user_id: 'U0BOT', bot_id: 'B0' };
      case 'apps.connections.open':
        return { ok: true, url: `ws://127.0.0.1:${this.port}/link` };
      case 'chat.postMessage':
        return this.post(args);
      case 'chat.update':
        return this.update(args);
      case 'chat.postEphemeral':
        return this.whisper(args);
      case 'views.open':
        return this.openView(args);
      case 'conversations.history':
        return {
          ok: true,
          messages: this.messages
            .filter(
              ({ channel, ts }) => channel === args['channel'] && Number(ts) >= Number(args['oldest'] ?? 0),
            )
            .map(({ ts, text, metadata }) => ({
              ts,
              text,
              ...(args['include_all_metadata'] === 'true' ? { metadata } : {}),
            }))
            .toReversed()
            .slice(0, Number(args['limit'] ?? 100)),
        };
      default:
        return fail('unknown_method');
    }
  }

  private post(args: Args): Json {
    const channel = args['channel'] ?? '';
    if (channel !== this.channel) return fail('channel_not_found');
    const blocks = JSON.parse(args['blocks'] ?? '[]') as Json[];
    const problems = blockProblems(blocks, 'message');
    if (problems.length > 0) return { ...fail('invalid_blocks'), response_metadata: { messages: problems } };
    const now = this.now();
    if (now - (this.lastPost.get(channel) ?? -Infinity) < 1000) return fail('ratelimited');
    this.lastPost.set(channel, now);
    this.counter += 1;
    const ts = `${Math.floor(now / 1000)}.${String(this.counter).padStart(6, '0')}`;
    const metadata = args['metadata'] === undefined ? undefined : (JSON.parse(args['metadata']) as Json);
    this.messages.push({ channel, ts, text: args['text'] ?? '', blocks, metadata, updates: 0 });
    return { ok: true, channel, ts };
  }

  private update(args: Args): Json {
    const message = this.messages.find(({ channel, ts }) => channel === args['channel'] && ts === args['ts']);
    if (message === undefined) return fail('message_not_found');
    // Without blocks the old buttons stay, as with Slack.
    if (args['blocks'] !== undefined) {
      const blocks = JSON.parse(args['blocks']) as Json[];
      const problems = blockProblems(blocks, 'message');
      if (problems.length > 0)
        return { ...fail('invalid_blocks'), response_metadata: { messages: problems } };
      message.blocks = blocks;
    }
    message.text = args['text'] ?? message.text;
    message.updates += 1;
    return { ok: true, channel: message.channel, ts: message.ts };
  }

  private whisper(args: Args): Json {
    const blocks = JSON.parse(args['blocks'] ?? '[]') as Json[];
    const problems = blockProblems(blocks, 'message');
    if (problems.length > 0) return fail('invalid_blocks');
    this.whispers.push({
      user: args['user'] ?? '',
      channel: args['channel'] ?? '',
      text: args['text'] ?? '',
      blocks,
    });
    return { ok: true, message_ts: '1.1' };
  }

  private openView(args: Args): Json {
    const trigger = this.triggers.get(args['trigger_id'] ?? '');
    if (trigger === undefined) return fail('invalid_trigger_id');
    this.triggers.delete(args['trigger_id'] ?? '');
    if (performance.now() - trigger.at > TRIGGER_LIVES_MS) return fail('expired_trigger_id');
    const view = JSON.parse(args['view'] ?? '{}') as Json;
    const problems = viewProblems(view);
    if (problems.length > 0)
      return { ...fail('invalid_arguments'), response_metadata: { messages: problems } };
    this.views.set(trigger.user, view);
    return { ok: true, view: { ...view, id: 'V1' } };
  }
}

const fail = (error: string): Json => ({ ok: false, error });

/** All buttons of a message. */
export const buttonsOf = (blocks: readonly Json[]): Json[] =>
  blocks.filter((block) => block['type'] === 'actions').flatMap((block) => block['elements'] as Json[]);

/** All text that people see of blocks, one piece per line. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('\n');
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([key, entry]) => (key === 'text' && typeof entry === 'string' ? entry : textOf(entry)))
    .filter((text) => text !== '')
    .join('\n');
}
