import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { HealthCheck, HealthRegistry, type HealthResult } from '../../../../ops/health.js';
import { missingLocally } from './missing.js';
import { SlackAccess } from './slack-access.js';

/** Says what is missing where Slack is set up in part: the service starts all the same, since it may be stored later. */
@Injectable()
export class SlackSetupHealth extends HealthCheck implements OnApplicationBootstrap {
  readonly name = 'slack_setup';

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly access: SlackAccess,
    private readonly health: HealthRegistry,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('notify')) this.health.add(this);
  }

  check(): readonly HealthResult[] {
    const { known, routes } = this.access;
    if (Object.keys(known).length === 0 && routes.length === 0) return [];
    return missingLocally({ known, publicUrl: publicUrl(this.config), routes: routes.length })
      .filter(({ isNeeded }) => isNeeded)
      .map(({ what, remedy }) => ({
        name: this.name,
        healthy: true,
        degraded: true,
        detail: what,
        remedy,
      }));
  }
}
