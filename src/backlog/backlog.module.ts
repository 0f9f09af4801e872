import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { S3Module } from '../s3/s3.module.js';
import { VerdictsModule } from '../verdicts/verdicts.module.js';
import { BacklogBell } from './backlog-bell.js';
import { Storm } from './storm.js';
import { BacklogItemEntity } from './backlog-item.entity.js';
import { BacklogService } from './backlog.service.js';
import { DispatchCounts } from './dispatch-counts.js';
import { QueueGauges } from './queue-gauges.js';
import { QueueHealth } from './queue-health.js';
import { QueueItems } from './queue-items.service.js';
import { QueueReadings } from './queue-readings.js';
import { QueueController } from './queue.controller.js';
import { Queues } from './queues.service.js';

/** The data source must know these. */
export const BACKLOG_ENTITIES = [BacklogItemEntity] as const;

/** What waits for its turn, and the loop that starts it. */
@Module({})
export class BacklogModule {
  /** `imports` bring the Engine. */
  static with(parts: { readonly imports: NonNullable<ModuleMetadata['imports']> }): DynamicModule {
    return {
      module: BacklogModule,
      imports: [...parts.imports, S3Module, VerdictsModule],
      controllers: [QueueController],
      providers: [
        BacklogBell,
        Storm,
        DispatchCounts,
        BacklogService,
        QueueReadings,
        Queues,
        QueueItems,
        QueueHealth,
        QueueGauges,
      ],
      exports: [BacklogBell, Storm],
    };
  }
}
