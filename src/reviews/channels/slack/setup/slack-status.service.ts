import { Inject, Injectable } from '@nestjs/common';
import type { Instant } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { Reviewers } from '../../../reviewers.js';
import { SlackConnection } from '../inbound/slack-connection.js';
import { ChannelLooks } from './channel-looks.js';
import { VARIABLES } from './known-settings.js';
import { whatIsMissing } from './missing.js';
import { WANTED_SCOPES } from './scopes.js';
import { SlackAccess } from './slack-access.js';
import type { SeenChannel } from './slack-channels.js';
import { boundPeople } from './sql/bound-people.js';
import { SETTING_NAMES, type SettingName } from './sql/stored-settings.js';
import type { SlackStatus } from './status.view.js';
import { TokenLooks } from './token-look.js';

/** How Slack is set up, and how it is. Nothing of it is a secret. */
@Injectable()
export class SlackStatusService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly access: SlackAccess,
    private readonly tokens: TokenLooks,
    private readonly looks: ChannelLooks,
    private readonly connection: SlackConnection,
    private readonly reviewers: Reviewers,
  ) {}

  async read(): Promise<SlackStatus> {
    const { settings, known, channels: ids, routes } = this.access;
    const { home, refused, unreachable } = await this.tokens.look();
    const isUsable = refused === undefined && unreachable === undefined;
    const seen = isUsable ? await this.looks.at(ids) : new Map<string, SeenChannel>();
    const names = this.namesOf(seen);
    const people = await this.people(home?.teamId);
    const transport =
      settings?.appToken !== undefined ? 'socket' : settings?.signingSecrets.length ? 'http' : null;
    const socket = await this.connection.anywhere();
    const scopes = home?.scopes ?? [];
    return {
      isOn: this.access.isOn,
      transport,
      connected: transport === 'socket' ? socket.connected : null,
      lastHelloAt: iso(socket.since),
      lastError: socket.lastError ?? null,
      team: home === undefined ? null : { id: home.teamId, name: home.teamName ?? null },
      appId: home?.appId ?? null,
      settings: Object.fromEntries(SETTING_NAMES.map((name) => [name, this.settingOf(name)])) as Record<
        SettingName,
        ReturnType<SlackStatusService['settingOf']>
      >,
      scopes: WANTED_SCOPES.map(({ scope, isOptional, without }) => ({
        scope,
        isGranted: scopes.length === 0 ? null : scopes.includes(scope),
        isOptional,
        without,
      })),
      channels: ids.map((id) => {
        const channel = seen.get(id);
        const trouble = channel?.trouble;
        return {
          id,
          name: names.get(id) ?? null,
          isDefault: settings?.channel === id,
          queues: routes.filter((route) => route.channel === id).map(({ queue }) => queue),
          isPrivate: channel?.isPrivate ?? null,
          isMember: channel?.isMember ?? null,
          isLookedAt: channel !== undefined,
          trouble: trouble === undefined ? null : { since: null, fact: trouble.fact, remedy: trouble.remedy },
        };
      }),
      people,
      missing: whatIsMissing({
        known,
        publicUrl: publicUrl(this.config),
        routes: routes.length,
        tokenRefused: refused,
        unreachable,
        scopes,
        connected: transport === 'socket' ? socket.connected : undefined,
        connectionError: socket.lastError,
        channels: [...seen.values()].map((channel) => ({
          ...channel,
          label: names.get(channel.id) ?? channel.id,
        })),
        people,
      }),
    };
  }

  private settingOf(name: SettingName) {
    const setting = this.access.known[name];
    const { stored } = setting ?? {};
    return {
      isSet: setting?.value !== undefined,
      from: setting?.from ?? null,
      variable: VARIABLES[name],
      kind: KINDS[name],
      hint: (setting?.from === 'stored' ? stored?.hint : undefined) ?? null,
      setBy: stored?.byName ?? null,
      setAt: iso(stored?.at),
      problem: setting?.problem ?? null,
    };
  }

  /** With the name that a route was made with where Slack does not tell it now. */
  private namesOf(seen: ReadonlyMap<string, SeenChannel>): ReadonlyMap<string, string> {
    const names = new Map<string, string>();
    for (const { channel, channelName } of this.access.routes)
      if (channelName !== undefined) names.set(channel, channelName);
    for (const [id, { name }] of seen) if (name !== undefined) names.set(id, name);
    return names;
  }

  private async people(teamId: string | undefined): Promise<SlackStatus['people']> {
    const deciders = await this.reviewers.list();
    if (teamId === undefined) return { deciders: deciders.length, bound: 0 };
    const ids = deciders.map(({ personId }) => personId);
    return { deciders: deciders.length, bound: (await boundPeople(this.db, teamId, ids)).size };
  }
}

const KINDS: Readonly<Record<SettingName, string>> = {
  botToken: 'bot token (xoxb-…)',
  appToken: 'app token of Socket Mode (xapp-…)',
  signingSecret: 'signing secret of HTTP requests',
  channel: 'id of the default channel',
};

const iso = (at: Instant | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString();
