import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../database/database.js';
import { HealthCheck, HealthRegistry, type HealthResult } from './health.js';

/** Says whether PostgreSQL answers; without it nothing is taken in, scanned or decided. */
@Injectable()
export class DatabaseHealth extends HealthCheck implements OnApplicationBootstrap {
  readonly name = 'postgresql';

  constructor(
    private readonly db: Database,
    private readonly registry: HealthRegistry,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.registry.add(this);
  }

  async check(): Promise<readonly HealthResult[]> {
    try {
      await this.db.query('SELECT 1');
      return [{ name: this.name, healthy: true, detail: 'PostgreSQL answers' }];
    } catch (error) {
      return [
        {
          name: this.name,
          healthy: false,
          detail: `PostgreSQL does not answer: ${(error as Error).message}`,
          remedy: 'Check that PostgreSQL runs and that DATABASE_URL is right; the service goes on by itself.',
        },
      ];
    }
  }
}
