import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Notices } from '../database/notices.js';
import { HealthCheck, HealthRegistry, type HealthResult } from './health.js';

/** Says when other nodes are not heard: slower, but nothing is lost. */
@Injectable()
export class NoticesHealth extends HealthCheck implements OnApplicationBootstrap {
  readonly name = 'notices';

  constructor(
    private readonly notices: Notices,
    private readonly registry: HealthRegistry,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.registry.add(this);
  }

  check(): readonly HealthResult[] {
    const { isListening, reconnects, dropped, problem } = this.notices.state;
    if (isListening) {
      const detail = `listening; connected again ${reconnects} time(s), ${dropped} notice(s) not sent`;
      return [{ name: 'notices', healthy: true, detail }];
    }
    return [
      {
        name: 'notices',
        healthy: true,
        degraded: true,
        detail: `other nodes are not heard (${problem ?? 'not connected yet'}); each looks again every second, nothing is lost`,
        remedy:
          'Check that DATABASE_LISTEN_URL (or DATABASE_URL) leads to PostgreSQL itself, not to a transaction pooler.',
      },
    ];
  }
}
