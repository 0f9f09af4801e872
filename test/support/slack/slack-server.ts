import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { WebSocketServer } from 'ws';
import type { Args } from './arguments.js';
import { chance } from './chance.js';
import type { ChannelSeed, FakeChannel } from './channels.js';
import type { Delivery } from './delivery.js';
import { Events } from './events.js';
import type { FakeMessage, FakeWhisper } from './messages.js';
import type { Methods } from './methods/method.js';
import { Mishaps, type Mishap } from './mishaps.js';
import type { UserSeed } from './people.js';
import { Refusal, type Json } from './refusal.js';
import { argsOf, bodyOf, uploadIn } from './requests.js';
import { ResponseUrls } from './response-urls.js';
import { SignedHttp, signatureOf, type HttpTargets } from './signed-http.js';
import { SocketMode, type DisconnectReason } from './socket-mode.js';
import { Tokens, type TokenSeed } from './tokens.js';
import { WebApi } from './web-api.js';
import { Workspace } from './workspace.js';

const CALLS_KEPT = 50_000;

/** What a workspace starts with. */
export interface SlackState {
  readonly users?: readonly UserSeed[] | undefined;
  readonly channels?: readonly ChannelSeed[] | undefined;
}

export interface FakeSlackOptions extends TokenSeed {
  /** A free one when left out. */
  readonly port?: number | undefined;
  readonly state?: SlackState | undefined;
  /** Of the choice among several connections. */
  readonly seed?: number | undefined;
}

/** The machine room of the stand-in: its port, its tokens, and the ways between it and the service. */
export abstract class FakeSlackServer {
  readonly calls: { method: string; args: Args }[] = [];
  readonly workspace = new Workspace();
  protected readonly tokens: Tokens;
  protected readonly socketMode: SocketMode;
  protected readonly responseUrls = new ResponseUrls(this.workspace);
  protected delivery: Delivery;
  protected readonly eventStream = new Events(this.workspace, () => this.delivery);

  private readonly mishaps = new Mishaps();
  private readonly api: WebApi;
  private readonly server = createServer((request, response) => void this.answer(request, response));
  private readonly socketServer = new WebSocketServer({ server: this.server });

  protected constructor(options: FakeSlackOptions) {
    this.tokens = new Tokens(options);
    this.socketMode = new SocketMode(chance(options.seed ?? 1), this.workspace.appId);
    this.delivery = this.socketMode;
    this.api = new WebApi(this.workspace, this.tokens, () => this.origin, this.connectionMethods());
    this.socketServer.on('connection', (socket, request) => this.socketMode.greet(socket, request));
  }

  get botToken(): string {
    return this.tokens.bot;
  }

  get appToken(): string {
    return this.tokens.app;
  }

  get signingSecret(): string {
    return this.tokens.signingSecret;
  }

  /** What the bot token was granted. */
  get scopes(): string[] {
    return this.tokens.scopes;
  }

  set scopes(scopes: string[]) {
    this.tokens.scopes = scopes;
  }

  /** Time by which messages are stamped and paced, and signatures dated. */
  get now(): () => number {
    return this.workspace.now;
  }

  set now(now: () => number) {
    this.workspace.now = now;
  }

  get teamId(): string {
    return this.workspace.teamId;
  }

  get messages(): FakeMessage[] {
    return this.workspace.messages;
  }

  get whispers(): FakeWhisper[] {
    return this.workspace.whispers;
  }

  /** The uppermost open modal of each person. */
  get views(): Map<string, Json> {
    return this.workspace.views.top;
  }

  /** The Home tab of each person. */
  get homes(): Map<string, Json> {
    return this.workspace.views.homes;
  }

  /** How fast the app may go. */
  get pace(): Workspace['pace'] {
    return this.workspace.pace;
  }

  get connections(): number {
    return this.socketMode.connections;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get apiUrl(): string {
    return `${this.origin}/api/`;
  }

  addChannel(seed: ChannelSeed): FakeChannel {
    return this.workspace.addChannel(seed);
  }

  addUser(seed: UserSeed): UserSeed {
    return this.workspace.addUser(seed);
  }

  /** The next calls of a method go wrong in these ways, one after the other. */
  script(method: string, ...mishaps: Mishap[]): void {
    this.mishaps.add(method, mishaps);
  }

  /** No call goes wrong any more. */
  behave(): void {
    this.mishaps.clear();
  }

  /** From now on Slack brings everything as signed requests to these addresses. */
  useHttp({ signingSecret, ...targets }: HttpTargets & { signingSecret?: string | undefined }): void {
    if (signingSecret !== undefined) this.tokens.signingSecret = signingSecret;
    this.delivery = new SignedHttp(
      targets,
      () => this.tokens.signingSecret,
      () => this.now(),
    );
  }

  /** How long Slack waits for an acknowledgement. */
  set ackWithinMs(ms: number) {
    this.delivery.ackWithinMs = ms;
  }

  useSocketMode(): void {
    this.delivery = this.socketMode;
  }

  /** Signs a body as Slack would, for requests that a test sends by itself. */
  sign(
    body: string,
    at = Math.floor(this.now() / 1000),
    secret = this.tokens.signingSecret,
  ): Record<string, string> {
    return signatureOf(secret, at, body);
  }

  /** Asks the address for events to prove itself, as Slack does when it is entered. */
  async verifyUrl(): Promise<boolean> {
    const challenge = randomBytes(12).toString('hex');
    const answer = await this.delivery.event({ type: 'url_verification', challenge }, undefined);
    return answer['challenge'] === challenge || answer['text'] === challenge;
  }

  /** Ends the connections of Socket Mode: `true` without a word, else with the reason that Slack gives. */
  dropConnections(how: boolean | DisconnectReason = false): void {
    this.socketMode.drop(how === true ? 'abruptly' : how === false ? 'refresh_requested' : how);
  }

  /** Somebody takes the app's token away. Slack says so once more, and then refuses every call. */
  async revoke(): Promise<void> {
    this.tokens.refusal = 'token_revoked';
    await this.eventStream.send({
      type: 'tokens_revoked',
      tokens: { oauth: [], bot: [this.workspace.botUserId] },
    });
  }

  /** Somebody removes the app from the workspace. */
  async uninstall(): Promise<void> {
    this.tokens.refusal = 'account_inactive';
    await this.eventStream.send({ type: 'app_uninstalled' });
  }

  /** Makes the token work again. */
  reinstall(): void {
    this.tokens.refusal = undefined;
  }

  async close(): Promise<void> {
    this.eventStream.stop();
    this.socketMode.drop('abruptly');
    this.socketServer.close();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  protected listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', resolve);
    });
  }

  /** Answers what is neither the web API nor one of its addresses. */
  protected serve(_request: IncomingMessage, response: ServerResponse): Promise<void> | void {
    response.writeHead(404).end();
  }

  private connectionMethods(): Methods {
    return {
      'apps.connections.open': {
        token: 'app',
        scope: 'connections:write',
        tier: 1,
        run: () => ({
          ok: true,
          url: `${this.origin.replace('http:', 'ws:')}/link?ticket=${this.socketMode.ticket()}`,
        }),
      },
    };
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, first = '', second = ''] = (request.url ?? '').split(/[/?]/);
    try {
      if (request.method === 'POST' && first === 'api')
        return await this.answerCall(second, request, response);
      if (request.method === 'POST' && first === 'respond')
        return await this.answerResponse(second, request, response);
      if (request.method === 'POST' && first === 'upload')
        return await this.takeFile(second, request, response);
      await this.serve(request, response);
    } catch (error) {
      // A mistake of the stand-in or of the test; said in the answer, where whoever called it sees it.
      response.writeHead(500).end(`the stand-in failed: ${String(error)}`);
    }
  }

  private async answerCall(
    method: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { token: tokenInBody, ...args } = argsOf(request, await bodyOf(request));
    if (this.calls.length >= CALLS_KEPT) this.calls.splice(0, CALLS_KEPT / 2);
    this.calls.push({ method, args });
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? tokenInBody;
    await this.respond(method, request, response, () => this.api.call(method, args, token));
  }

  private async answerResponse(
    key: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const answer = JSON.parse((await bodyOf(request)).toString('utf8')) as Json;
    await this.respond('response_url', request, response, () => {
      try {
        this.responseUrls.use(key, answer);
        return { ok: true };
      } catch (error) {
        if (error instanceof Refusal) return error.answer;
        throw error;
      }
    });
  }

  private async takeFile(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const content = await uploadIn(request, await bodyOf(request));
    const file = this.workspace.files.get(id);
    if (file === undefined || content.length !== file.length) {
      response.writeHead(400).end(`not the ${file?.length ?? 0} bytes that were announced`);
      return;
    }
    file.content = content;
    response.writeHead(200).end(`OK - ${content.length}`);
  }

  /** Answers, or lets the answer go wrong as a test wanted it. */
  private async respond(
    method: string,
    request: IncomingMessage,
    response: ServerResponse,
    perform: () => Json,
  ): Promise<void> {
    const mishap = this.mishaps.next(method);
    if (mishap?.kind === 'rateLimited') return tooMany(response, mishap.retryAfter);
    if (mishap?.kind === 'status') {
      response.writeHead(mishap.status).end('trouble');
      return;
    }
    const result = mishap?.kind === 'error' ? new Refusal(mishap.error).answer : perform();
    if (mishap?.kind === 'lose') {
      request.socket.destroy();
      return;
    }
    if (mishap?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, mishap.ms));
    if (result['error'] === 'ratelimited') return tooMany(response, Number(result['retryAfter'] ?? 1));
    response
      .writeHead(method === 'response_url' && result['ok'] === false ? 404 : 200, {
        'content-type': 'application/json; charset=utf-8',
        'x-oauth-scopes': this.scopes.join(','),
      })
      .end(JSON.stringify(result));
  }
}

function tooMany(response: ServerResponse, retryAfter: number): void {
  response
    .writeHead(429, { 'retry-after': String(retryAfter), 'content-type': 'application/json' })
    .end(JSON.stringify({ ok: false, error: 'ratelimited' }));
}
