import { Inject, Injectable } from '@nestjs/common';
import type { Instant } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { Reviewers } from '../../../reviewers.js';
import { BrokenSlack } from '../delivery/broken-slack.js';
import { SignatureWatch } from '../inbound/signature-watch.js';
import { SlackConnection } from '../inbound/slack-connection.js';
import { WORKSPACE } from '../sql/broken.js';
import { ChannelLooks } from './channel-looks.js';
import { channelStandings, looksMended } from './channel-standing.js';
import { VARIABLES } from './known-settings.js';
import { digestTimes } from './digest-times.js';
import { whatIsMissing } from './missing.js';
import { WANTED_SCOPES } from './scopes.js';
import { SlackAccess } from './slack-access.js';
import type { SlackSettings } from './slack-clients.js';
import type { SeenChannel } from './slack-channels.js';
import { boundPeople } from './sql/bound-people.js';
import type { SettingName } from './sql/stored-settings.js';
import type { SlackStatus } from './status.view.js';
import { TokenLooks } from './token-look.js';

const TRIED_EVERY_MS = 60_000;

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
    private readonly signatures: SignatureWatch,
    private readonly reviewers: Reviewers,
    private readonly broken: BrokenSlack,
  ) {}

  async read(): Promise<SlackStatus> {
    const { settings, known, channels: ids, routes } = this.access;
    const { home, refused, unreachable } = await this.tokens.look();
    const token = refused !== undefined ? 'refused' : unreachable !== undefined ? 'unreachable' : 'works';
    const isUsable = token === 'works';
    const broken = settings === undefined ? [] : await this.broken.broken();
    const seen = isUsable ? await this.looks.at(ids, broken) : new Map<string, SeenChannel>();
    // What looks mended is tried now. A page that stays open asks often, and one that only looks so is not tried each time.
    const mended = broken.filter((one) => looksMended(seen.get(one.place), one));
    await this.broken.lookNow(mended, TRIED_EVERY_MS);
    const channels = channelStandings({ ids, defaultId: settings?.channel, routes, seen, broken });
    const people = await this.people(home?.teamId);
    const transport = transportOf(settings);
    const socket = await this.connection.anywhere();
    const connected = transport === 'socket' ? socket.connected : null;
    // What was granted to a token that is of no use now says nothing of the next.
    const scopes = isUsable ? (home?.scopes ?? []) : [];
    return {
      isOn: this.access.isOn,
      transport,
      connected,
      lastHelloAt: transport === 'socket' ? iso(socket.since) : null,
      lastError: transport === 'socket' ? (socket.lastError ?? null) : null,
      token: settings === undefined ? null : token,
      team: home === undefined ? null : { id: home.teamId, name: home.teamName ?? null },
      appId: home?.appId ?? null,
      settings: this.settingsNow(),
      scopes: WANTED_SCOPES.map(({ scope, isOptional, without }) => ({
        scope,
        isGranted: scopes.length === 0 ? null : scopes.includes(scope),
        isOptional,
        without,
      })),
      channels,
      digests: digestTimes(this.config),
      people,
      missing: whatIsMissing({
        known,
        publicUrl: publicUrl(this.config),
        routes: routes.length,
        tokenRefused: refused,
        unreachable,
        workspaceBroken: broken.find(({ place }) => place === WORKSPACE),
        scopes,
        connected: connected ?? undefined,
        connectionError: socket.lastError,
        botApp: home?.appId,
        connectedApp: socket.appId,
        otherSecret: transport === 'http' ? await this.signatures.suspicious() : undefined,
        channels,
        people,
      }),
    };
  }

  private settingsNow(): SlackStatus['settings'] {
    return {
      botToken: this.settingOf('botToken'),
      appToken: this.settingOf('appToken'),
      signingSecret: this.settingOf('signingSecret'),
      channel: this.settingOf('channel'),
    };
  }

  private settingOf(name: SettingName): SlackStatus['settings'][SettingName] {
    const setting = this.access.known[name];
    const { stored } = setting ?? {};
    return {
      isSet: setting?.value !== undefined,
      from: setting?.from ?? null,
      variable: VARIABLES[name],
      kind: KINDS[name],
      hint: stored?.hint ?? null,
      setBy: stored?.byName ?? null,
      setAt: iso(stored?.at),
      problem: setting?.problem ?? null,
    };
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

function transportOf(settings: SlackSettings | undefined): SlackStatus['transport'] {
  if (settings?.appToken !== undefined) return 'socket';
  return settings !== undefined && settings.signingSecrets.length > 0 ? 'http' : null;
}

const iso = (at: Instant | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString();
