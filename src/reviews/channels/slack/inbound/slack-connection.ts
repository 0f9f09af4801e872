import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { CONFIG, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { missingScopes as missingOf } from '../setup/scopes.js';
import { SlackAccess } from '../setup/slack-access.js';
import type { SocketSettings } from '../setup/slack-clients.js';
import { SlackWorkspace } from '../setup/slack-workspace.js';
import { slackSockets } from '../sql/sockets.js';
import { ConnectionLog } from './connection-log.js';
import { SlackSocket } from './socket.js';
import { SocketEnvelopes } from './socket-envelopes.js';
import { LOOK_EVERY_MS, SocketPlace } from './socket-place.js';

const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

/** How the way into Slack is, from this node. */
export interface ChannelHealth {
  readonly connected: boolean;
  /** Other nodes keep the connections; this one takes over when one of them dies. */
  readonly standby: boolean;
  /** When Slack greeted, of the connection that is open. */
  readonly since?: Instant | undefined;
  readonly team?: string | undefined;
  /** The app that greeted: that of the app token. */
  readonly appId?: string | undefined;
  readonly missingScopes: readonly string[];
  readonly lastError?: string | undefined;
}

/** Keeps a Socket Mode connection open in role notify, where this node has a place for one. */
@Injectable()
export class SlackConnection implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private changing = new AbortController();
  private running: Promise<void> | undefined;
  /** The settings that the loop goes by. */
  private meant = '';
  private forget: () => void = () => undefined;
  private readonly told: ConnectionLog;
  private state: ChannelHealth = { connected: false, standby: false, missingScopes: [] };

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
    private readonly workspace: SlackWorkspace,
    private readonly envelopes: SocketEnvelopes,
    private readonly place: SocketPlace,
  ) {
    this.told = new ConnectionLog(log);
  }

  onApplicationBootstrap(): void {
    if (!this.config.ROLES.includes('notify')) return;
    this.forget = this.access.onChange(() => {
      // Other channels are no reason to connect anew.
      if (keyOf(this.access.settings) !== this.meant) this.changing.abort();
    });
    this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.forget();
    this.stopping.abort();
    this.changing.abort();
    await this.running;
  }

  channelHealth(): ChannelHealth {
    return this.state;
  }

  /** How it is on whichever node keeps a connection. */
  async anywhere(): Promise<ChannelHealth> {
    const own = this.state;
    if (own.connected) return own;
    const now = this.clock.now();
    const sockets = await slackSockets(this.db);
    const [latest] = sockets
      .filter(({ heldUntil, connectedAt }) => heldUntil >= now && connectedAt !== undefined)
      .map(({ connectedAt = 0, lastHelloAt = connectedAt, appId }) => ({ since: lastHelloAt, appId }))
      .toSorted((a, b) => b.since - a.since);
    if (latest !== undefined) return { ...own, ...latest, connected: true, lastError: undefined };
    // A place is given up between two tries; why the last one failed stays.
    return { ...own, lastError: own.lastError ?? sockets.find(({ lastError }) => lastError)?.lastError };
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.stopping.signal.aborted) {
      this.changing = new AbortController();
      this.meant = keyOf(this.access.settings);
      const settings = socketSettings(this.access.settings);
      if (settings === undefined || !(await this.hasPlace())) {
        this.state = { ...this.state, connected: false, standby: settings !== undefined };
        await this.pause(LOOK_EVERY_MS);
        continue;
      }
      const reason = await this.oneConnection(settings, () => {
        failures = 0;
      });
      await this.leave(reason);
      // New settings are tried at once.
      if (this.changing.signal.aborted) continue;
      failures += 1;
      this.told.failed(reason, failures);
      await this.pause(Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10)));
    }
  }

  /** One connection from its opening to its end. @returns why it ended; never rejects. */
  private async oneConnection(settings: SocketSettings, onConnected: () => void): Promise<string> {
    let socket: SlackSocket | undefined;
    const { signal } = this.changing;
    const changed = aborted(signal, 'the settings changed');
    try {
      const home = await this.workspace.ask();
      const listener = this.envelopes.listener(home);
      let appId: string | undefined;
      const greeted = (of: string | undefined): void => listener.greeted((appId = of));
      socket = new SlackSocket(settings, this.log, { ...listener, greeted });
      const ended = socket.ended;
      const opened = await Promise.race([socket.open(), changed]);
      if (typeof opened === 'string') return opened;
      onConnected();
      this.state = {
        connected: true,
        standby: false,
        since: Math.round(this.clock.now()),
        team: home.teamName,
        appId,
        missingScopes: missingOf(home.scopes),
      };
      this.told.connected(home, appId);
      const over = new AbortController();
      const why = await Promise.race([ended, changed, this.keepPlace(over.signal)]);
      over.abort();
      return why;
    } catch (error) {
      // The SDK rejects with nothing when the connection closes before its greeting.
      return error === undefined ? 'the connection closed before it was ready' : slackErrorCode(error);
    } finally {
      if (socket !== undefined) {
        await this.envelopes.settled();
        await socket.close();
      }
    }
  }

  private async hasPlace(): Promise<boolean> {
    try {
      return await this.place.take();
    } catch (error) {
      this.log.warn({ err: error }, 'no place for a connection to Slack could be looked for');
      return false;
    }
  }

  /** Holds the place while the connection is open. @returns why it cannot be held any longer. */
  private async keepPlace(over: AbortSignal): Promise<string> {
    while (!over.aborted) {
      const { since: connectedAt, lastError, appId } = this.state;
      try {
        const isOurs = await this.place.keep({ connectedAt, lastHelloAt: connectedAt, lastError, appId });
        if (!isOurs) return 'another node keeps the connection';
      } catch (error) {
        // Another node may connect by now; and without the database nothing that comes in could be kept.
        if (this.place.mayBeLost) return `the database does not answer (${(error as Error).message})`;
      }
      await this.clock.sleepUntil(this.clock.now() + LOOK_EVERY_MS, over);
    }
    return 'the connection ended';
  }

  private async leave(reason: string): Promise<void> {
    this.state = { ...this.state, connected: false, since: undefined, appId: undefined, lastError: reason };
    try {
      await this.place.keep({
        connectedAt: undefined,
        lastHelloAt: undefined,
        lastError: reason,
        appId: undefined,
      });
      await this.place.leave();
    } catch (error) {
      this.log.debug({ err: error }, 'the place of a connection to Slack is left to run out');
    }
  }

  private pause(milliseconds: number): Promise<void> {
    return this.clock.sleepUntil(this.clock.now() + milliseconds, this.changing.signal);
  }
}

function socketSettings(settings: SlackAccess['settings']): SocketSettings | undefined {
  const { appToken, apiUrl } = settings ?? {};
  return appToken === undefined || apiUrl === undefined ? undefined : { appToken, apiUrl };
}

const keyOf = (settings: SlackAccess['settings']): string =>
  JSON.stringify([settings?.botToken, settings?.appToken, settings?.apiUrl]);

const aborted = (signal: AbortSignal, why: string): Promise<string> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(why);
    else signal.addEventListener('abort', () => resolve(why), { once: true });
  });
