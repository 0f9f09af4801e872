import { Global, Module, type DynamicModule } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { DatabaseHealth } from './database-health.js';
import { DiskHealth } from './disk-health.js';
import { DoctorController } from './doctor/doctor.controller.js';
import { Doctor } from './doctor/doctor.js';
import { ErrorFilter } from './error.filter.js';
import { HealthRegistry } from './health.js';
import { LOG, type Log } from './log.js';
import { createMetrics, METRICS } from './metrics.js';
import { NoticesHealth } from './notices-health.js';
import { OpsController } from './ops.controller.js';

/** Configuration, log, health and metrics: what every stage needs to say how it is. */
@Global()
@Module({})
export class OpsModule {
  static using(parts: { config: Config; log: Log }): DynamicModule {
    const providers = [
      { provide: CONFIG, useValue: parts.config },
      { provide: LOG, useValue: parts.log },
      { provide: METRICS, useFactory: createMetrics },
      HealthRegistry,
      DatabaseHealth,
      NoticesHealth,
      DiskHealth,
      Doctor,
      ErrorFilter,
    ];
    return {
      module: OpsModule,
      controllers: [OpsController, DoctorController],
      providers,
      exports: providers,
    };
  }
}
