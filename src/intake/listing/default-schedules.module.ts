import {
  Inject,
  Module,
  type DynamicModule,
  type ModuleMetadata,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { Schedules } from '../../triggers/schedules/schedules.service.js';
import type { ScheduleSpec } from '../../triggers/schedules/schedule-spec.js';

/** Each night, when it is quiet in most places. Pause it rather than remove it: it would come again with the next start. */
const NIGHTLY: Omit<ScheduleSpec, 'timeZone'> = {
  name: 'nightly-reconcile',
  description: 'Compares every bucket with the ledger and scans what no event told of',
  kind: 'reconcile',
  payload: {},
  cron: '30 2 * * *',
  catchUp: 'last',
  catchUpWithinSeconds: 86_400,
  enabled: true,
};

/** The schedules that are there from the first start on. */
@Module({})
export class DefaultSchedulesModule implements OnApplicationBootstrap {
  constructor(
    private readonly schedules: Schedules,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** `imports` bring the Schedules. */
  static with(parts: { readonly imports: NonNullable<ModuleMetadata['imports']> }): DynamicModule {
    return { module: DefaultSchedulesModule, imports: parts.imports };
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.config.ROLES.includes('intake')) return;
    await this.schedules.ensure({ ...NIGHTLY, timeZone: this.config.ORG_TIME_ZONE }, 'system:setup');
  }
}
