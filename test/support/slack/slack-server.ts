import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { WebSocketServer } from 'ws';
import { chance } from './chance.js';
import type { ChannelSeed, FakeChannel } from './channels.js';
import { ACK_WITHIN_MS, type Delivery } from './delivery.js';
import { Events } from './events.js';
import { HttpFront, type FakeCall } from './http-front.js';
import type { FakeMessage, FakeWhisper } from './messages.js';
import type { Methods } from './methods/method.js';
import type { Mishap } from './mishaps.js';
import type { UserSeed } from './people.js';
import type { Json } from './refusal.js';
import { ResponseUrls } from './response-urls.js';
import { SignedHttp, signatureOf, type HttpTargets } from './signed-http.js';
import { SocketMode, type DisconnectReason } from './socket-mode.js';
import { Tokens, type TokenSeed } from './tokens.js';
import { WebApi } from './web-api.js';
import { Workspace } from './workspace.js';

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
  readonly workspace = new Workspace();
  protected readonly tokens: Tokens;
  protected readonly socketMode: SocketMode;
  protected readonly responseUrls = new ResponseUrls(this.workspace);
  protected delivery: Delivery;
  protected readonly eventStream = new Events(this.workspace, () => this.delivery);

  protected readonly front: HttpFront;
  private ackMs = ACK_WITHIN_MS;
  private readonly server = createServer((request, response) => void this.front.answer(request, response));
  private readonly socketServer = new WebSocketServer({ server: this.server });

  protected constructor(options: FakeSlackOptions) {
    this.tokens = new Tokens(options);
    this.socketMode = new SocketMode(chance(options.seed ?? 1), this.workspace.appId);
    this.delivery = this.socketMode;
    const api = new WebApi(this.workspace, this.tokens, () => this.origin, this.connectionMethods());
    this.front = new HttpFront(api, this.workspace, this.responseUrls, this.tokens);
    this.socketServer.on('connection', (socket, request) => this.socketMode.greet(socket, request));
  }

  /** Every call of the web API, in order. */
  get calls(): FakeCall[] {
    return this.front.calls;
  }

  /** Told of each call as it comes in, for who measures. */
  set onCall(listener: (call: FakeCall) => void) {
    this.front.onCall = listener;
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

  /** What the app token was granted. */
  get appScopes(): string[] {
    return this.tokens.appScopes;
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
    this.front.mishaps.add(method, mishaps);
  }

  /** No call goes wrong any more. */
  behave(): void {
    this.front.mishaps.clear();
  }

  /** From now on Slack brings everything as signed requests to these addresses. */
  useHttp({ signingSecret, ...targets }: HttpTargets & { signingSecret?: string | undefined }): void {
    if (signingSecret !== undefined) this.tokens.signingSecret = signingSecret;
    this.delivery = new SignedHttp(
      targets,
      () => this.tokens.signingSecret,
      () => this.now(),
    );
    this.delivery.ackWithinMs = this.ackMs;
  }

  /** How long Slack waits for an acknowledgement. */
  get ackWithinMs(): number {
    return this.ackMs;
  }

  set ackWithinMs(ms: number) {
    this.ackMs = ms;
    this.delivery.ackWithinMs = ms;
  }

  /** The app token is another app's: connections are of that one. */
  connectAs(appId: string): void {
    this.socketMode.appId = appId;
  }

  useSocketMode(): void {
    this.delivery = this.socketMode;
    this.delivery.ackWithinMs = this.ackMs;
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
}
