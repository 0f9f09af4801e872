import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import type { WebClient } from '@slack/web-api';
import { Keyring } from '../../../../access/keyring.js';
import { Clock } from '../../../../clock.js';
import { CONFIG, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { Notices } from '../../../../database/notices.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { Recurring } from '../../../../recurring.js';
import { knownSettings, type KnownSettings } from './known-settings.js';
import { createWebClient, slackSettings, type SlackSettings } from './slack-clients.js';
import { readSetupRevision, readStoredSetup, type SlackRoute } from './sql/stored-settings.js';

const CHANNEL = 'sallyport_slack';
// Notices are hints: however many are lost, a change is seen after this.
const LOOK_EVERY_MS = 2000;

/** Told of settings that took the place of others. */
export type SettingsListener = () => void;

/**
 * The way into Slack: with which settings, where each queue's reviews go, and the client of its web API.
 *
 * Settings of the environment stand as long as the process; the others are read from the database, at once where they
 * are changed, elsewhere as soon as the notice arrives, and after two seconds in any case. Asking never waits.
 */
@Injectable()
export class SlackAccess implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private revision = -1;
  private knownNow: KnownSettings;
  private settingsNow: SlackSettings | undefined;
  private routesNow: ReadonlyMap<string, SlackRoute> = new Map();
  private client: WebClient | undefined;
  private readonly listeners = new Set<SettingsListener>();
  private readonly looking: Recurring;
  private readonly unsubscribe: (() => void)[] = [];

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    clock: Clock,
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly notices: Notices,
  ) {
    this.knownNow = knownSettings(config, [], keyring);
    this.settingsNow = slackSettings(this.knownNow, config.SLACK_API_URL);
    this.looking = new Recurring({
      clock,
      log,
      everyMs: LOOK_EVERY_MS,
      onFailure: 'could not look for changes of the Slack settings',
      turn: () => this.look(),
    });
  }

  /** Before anybody asks: what is stored counts from the first moment. */
  onModuleInit(): Promise<void> {
    return this.reload();
  }

  onApplicationBootstrap(): void {
    const wake = (): void => this.looking.wake();
    this.unsubscribe.push(this.notices.on(CHANNEL, wake), this.notices.onReconnect(wake));
    this.looking.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const stop of this.unsubscribe.splice(0)) stop();
    await this.looking.stop();
  }

  /** Whether reviews are shown in Slack: there is a bot, a way for answers to come in, and a channel. */
  get isOn(): boolean {
    const { settings } = this;
    if (settings === undefined || !canBeAnswered(settings)) return false;
    return settings.channel !== undefined || this.routesNow.size > 0;
  }

  /** `undefined` without a bot token. */
  get settings(): SlackSettings | undefined {
    return this.settingsNow;
  }

  /** Each setting and where it comes from. Holds secrets: never for an answer. */
  get known(): KnownSettings {
    return this.knownNow;
  }

  /** The queues that have a channel of their own. */
  get routes(): readonly SlackRoute[] {
    return [...this.routesNow.values()];
  }

  /** Where the reviews of a queue are posted: its own channel, else the default one. `undefined` where nowhere. */
  channelFor(queue: string): string | undefined {
    if (!this.isOn) return undefined;
    return this.routesNow.get(queue)?.channel ?? this.settingsNow?.channel;
  }

  /** All channels that reviews are posted to, each once. */
  get channels(): readonly string[] {
    const all = [this.settingsNow?.channel, ...this.routes.map(({ channel }) => channel)];
    return [...new Set(all.filter((channel) => channel !== undefined))];
  }

  /** `undefined` without a bot token. */
  get web(): WebClient | undefined {
    const { settings } = this;
    if (settings === undefined) return undefined;
    this.client ??= createWebClient(settings, this.log);
    return this.client;
  }

  /** Called after other tokens, secrets or channels took effect in this process, whoever set them. @returns how to stop. */
  onChange(listener: SettingsListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** After a change was committed: it holds here when this resolves, and the others are told. */
  async changed(): Promise<void> {
    this.notices.publish(CHANNEL, 'changed');
    await this.reload();
  }

  private async look(): Promise<void> {
    if ((await readSetupRevision(this.db)) !== this.revision) await this.reload();
  }

  private async reload(): Promise<void> {
    const read = await readStoredSetup(this.db);
    // Two readings may cross: the older one comes too late.
    if (read.revision <= this.revision) return;
    this.revision = read.revision;
    this.knownNow = knownSettings(this.config, read.settings, this.keyring);
    for (const [name, { problem }] of Object.entries(this.knownNow))
      if (problem !== undefined) this.log.error({ setting: name, problem }, 'a Slack setting is of no use');
    const settings = slackSettings(this.knownNow, this.config.SLACK_API_URL);
    const before = JSON.stringify([this.settingsNow, this.routes]);
    if (settings?.botToken !== this.settingsNow?.botToken) this.client = undefined;
    this.settingsNow = settings;
    this.routesNow = new Map(read.routes.map((route) => [route.queue, route]));
    if (JSON.stringify([settings, this.routes]) === before) return;
    for (const listener of this.listeners) listener();
  }
}

/** Whether clicks reach us: over a socket, or signed by HTTP. */
const canBeAnswered = ({ appToken, signingSecrets }: SlackSettings): boolean =>
  appToken !== undefined || signingSecrets.length > 0;
