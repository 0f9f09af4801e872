import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../../../../clock.js';
import { CONFIG, type Config } from '../../../../config.js';
import { HealthCheck, HealthRegistry, type HealthResult } from '../../../../ops/health.js';
import { otherSecret, tokenTroubles } from '../setup/missing.js';
import { missingScopes } from '../setup/scopes.js';
import { SlackAccess } from '../setup/slack-access.js';
import type { SlackHome } from './handled.js';
import { SlackWorkspace } from '../setup/slack-workspace.js';
import { isOfOtherApp, OTHER_APP_REMEDY, socketRemedyOf } from '../setup/socket-remedies.js';
import { TokenLooks } from '../setup/token-look.js';
import { SignatureWatch } from './signature-watch.js';
import { SlackConnection } from './slack-connection.js';

/** Whether anything comes in from Slack, over whichever node. */
@Injectable()
export class SlackHealth extends HealthCheck implements OnApplicationBootstrap {
  readonly name = 'slack';

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
    private readonly workspace: SlackWorkspace,
    private readonly connection: SlackConnection,
    private readonly signatures: SignatureWatch,
    private readonly tokens: TokenLooks,
    private readonly health: HealthRegistry,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    const { ROLES: roles } = this.config;
    if (roles.includes('notify') || roles.includes('api')) this.health.add(this);
  }

  async check(): Promise<readonly HealthResult[]> {
    const { settings } = this.access;
    if (settings === undefined) return [];
    const { refused, unreachable } = (await this.tokens.lately()) ?? {};
    const [trouble] = tokenTroubles(refused, unreachable);
    if (trouble !== undefined)
      return [
        { name: this.name, healthy: true, degraded: true, detail: trouble.what, remedy: trouble.remedy },
      ];
    const home = this.workspace.home ?? (await this.workspace.known());
    const way = settings.appToken === undefined ? await this.byHttp() : await this.bySocket(home);
    if (way === undefined) return [];
    const missing = missingScopes(home?.scopes ?? []);
    if (way.degraded === true || missing.length === 0) return [way];
    return [
      {
        ...way,
        degraded: true,
        detail: `${way.detail}, but scopes are missing: ${missing.join(', ')}`,
        remedy: 'Add them to the app under OAuth & Permissions and install it again.',
      },
    ];
  }

  private async byHttp(): Promise<HealthResult | undefined> {
    // With neither way in, what is missing is said with the rest of the set-up.
    if ((this.access.settings?.signingSecrets.length ?? 0) === 0) return undefined;
    const refused = await this.signatures.suspicious();
    if (refused === 0)
      return { name: this.name, healthy: true, detail: 'Slack posts to /slack/… of the nodes with role api' };
    // Never unhealthy: anybody can send such requests.
    const { what, remedy } = otherSecret(refused);
    return { name: this.name, healthy: true, degraded: true, detail: what, remedy };
  }

  private async bySocket(home: SlackHome | undefined): Promise<HealthResult> {
    const { connected, since, appId, lastError, ...of } = await this.connection.anywhere();
    const team = of.team ?? home?.teamName ?? 'Slack';
    if (connected && isOfOtherApp(appId, home?.appId))
      return {
        name: this.name,
        healthy: true,
        degraded: true,
        detail: `connected as app ${appId ?? ''}, but the bot token is of app ${home?.appId ?? ''}: no click arrives`,
        remedy: OTHER_APP_REMEDY,
      };
    if (connected) {
      const seconds = Math.max(0, Math.round((this.clock.now() - (since ?? this.clock.now())) / 1000));
      const where = this.connection.channelHealth().connected ? '' : ' by another node';
      return {
        name: this.name,
        healthy: true,
        detail: `connected to ${team}${where}, greeted ${seconds} s ago`,
      };
    }
    return {
      name: this.name,
      healthy: true,
      degraded: true,
      detail: `not connected (${lastError ?? 'connecting'}); reviews are answered by mail and on the web`,
      remedy:
        socketRemedyOf(lastError ?? '') ??
        'Check bot token and app token (page Slack, or SLACK_BOT_TOKEN and SLACK_APP_TOKEN), and that this machine may reach Slack.',
    };
  }
}
