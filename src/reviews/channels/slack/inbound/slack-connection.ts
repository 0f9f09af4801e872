import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { SocketModeClient } from '@slack/socket-mode';
import { Clock, type Instant } from '../../../../clock.js';
import { CONFIG, type Config } from '../../../../config.js';
import { HealthCheck, HealthRegistry, type HealthResult } from '../../../../ops/health.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { SlackAccess } from '../setup/slack-access.js';
import { createSocketClient, type SocketSettings } from '../setup/slack-clients.js';
import { missingScopes as missingOf } from '../setup/scopes.js';
import { SlackWorkspace } from '../setup/slack-workspace.js';
import type { SlackHome } from './handled.js';
import { SlackInbound, type InboundKind } from './slack-inbound.js';

const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;
const CONNECT_MS = 20_000;
const CLOSE_MS = 2000;

const KINDS: ReadonlySet<string> = new Set<InboundKind>(['interactive', 'slash_commands', 'events_api']);

/** How the way into Slack is. */
export interface ChannelHealth {
  readonly connected: boolean;
  readonly since?: Instant | undefined;
  readonly team?: string | undefined;
  readonly missingScopes: readonly string[];
  readonly lastError?: string | undefined;
}

interface Envelope {
  readonly type: string;
  readonly ack: (body?: Record<string, unknown>) => Promise<void>;
  readonly body: unknown;
}

/** Keeps one Socket Mode connection open in role notify, and hands what comes in to the one handler. */
@Injectable()
export class SlackConnection
  extends HealthCheck
  implements OnApplicationBootstrap, BeforeApplicationShutdown
{
  readonly name = 'slack';
  private readonly stopping = new AbortController();
  private readonly stopped = new Promise<string>((resolve) => {
    this.stopping.signal.addEventListener('abort', () => resolve('stopping'), { once: true });
  });
  private running: Promise<void> | undefined;
  private state: ChannelHealth = { connected: false, missingScopes: [] };

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
    private readonly workspace: SlackWorkspace,
    private readonly inbound: SlackInbound,
    private readonly health: HealthRegistry,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    if (!this.config.ROLES.includes('notify') || this.config.SLACK_BOT_TOKEN === undefined) return;
    this.health.add(this);
    const { settings } = this.access;
    if (settings?.appToken === undefined) return;
    this.running = this.stayConnected({ ...settings, appToken: settings.appToken });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  channelHealth(): ChannelHealth {
    return this.state;
  }

  check(): readonly HealthResult[] {
    const { connected, team, missingScopes, lastError } = this.state;
    if (connected && missingScopes.length === 0)
      return [{ name: this.name, healthy: true, detail: `connected to ${team ?? 'Slack'}` }];
    if (connected)
      return [
        {
          name: this.name,
          healthy: true,
          degraded: true,
          detail: `connected to ${team ?? 'Slack'}, but scopes are missing: ${missingScopes.join(', ')}`,
          remedy: 'Add them to the app under OAuth & Permissions and install it again.',
        },
      ];
    return [
      {
        name: this.name,
        healthy: true,
        degraded: true,
        detail: `not connected (${lastError ?? 'connecting'}); reviews are answered by mail and on the web`,
        remedy: 'Check SLACK_BOT_TOKEN, SLACK_APP_TOKEN and that this machine may reach Slack.',
      },
    ];
  }

  private async stayConnected(settings: SocketSettings): Promise<void> {
    const { signal } = this.stopping;
    let failures = 0;
    while (!signal.aborted) {
      const error = await this.oneConnection(settings, () => {
        failures = 0;
      });
      if (signal.aborted) return;
      this.state = { ...this.state, connected: false, lastError: error };
      failures += 1;
      this.log.warn({ reason: error, failures }, 'Slack is not connected; trying again');
      await pause(Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10)), signal);
    }
  }

  /** One connection from its opening to its end. @returns why it ended; never rejects. */
  private async oneConnection(settings: SocketSettings, onConnected: () => void): Promise<string> {
    let client: SocketModeClient | undefined;
    try {
      const home = await this.workspace.ask();
      client = createSocketClient(settings, this.log);
      client.on('slack_event', (envelope: Envelope) => void this.receive(envelope, home));
      const ended = new Promise<string>((resolve) => {
        client?.on('disconnected', () => resolve('the connection was closed'));
      });
      await Promise.race([within(CONNECT_MS, client.start()), this.stopped]);
      if (this.stopping.signal.aborted) return 'stopping';
      onConnected();
      this.state = {
        connected: true,
        since: this.clock.now(),
        team: home.teamName,
        missingScopes: missingOf(home.scopes),
      };
      this.log.info({ team: home.teamName }, 'connected to Slack');
      return await Promise.race([ended, this.stopped]);
    } catch (error) {
      // The SDK rejects with nothing when the connection closes before its greeting.
      return error === undefined ? 'the connection closed before it was ready' : slackErrorCode(error);
    } finally {
      if (client !== undefined) await this.close(client);
    }
  }

  /** Slack waits three seconds for the acknowledgement; what takes longer is done after it. */
  private async receive(envelope: Envelope, home: SlackHome): Promise<void> {
    if (!isKind(envelope.type)) return;
    try {
      const { ack, afterwards } = await this.inbound.receive(envelope.type, envelope.body, home);
      await envelope.ack(ack);
      await afterwards?.();
    } catch (error) {
      this.log.error({ err: error }, 'something that came from Slack could not be handled');
    }
  }

  private async close(client: SocketModeClient): Promise<void> {
    try {
      // The SDK waits half a minute for a peer that does not answer; nobody stops a service for that.
      await within(CLOSE_MS, client.disconnect());
    } catch (error) {
      this.log.debug({ err: error }, 'the Slack connection did not close in time');
    } finally {
      client.removeAllListeners('slack_event');
    }
  }
}

const isKind = (type: string): type is InboundKind => KINDS.has(type);

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, { once: true });
  });
