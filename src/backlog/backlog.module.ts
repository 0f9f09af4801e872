import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { S3Module } from '../s3/s3.module.js';
import { VerdictsModule } from '../verdicts/verdicts.module.js';
import { BacklogBell } from './backlog-bell.js';
import { BacklogItemEntity } from './backlog-item.entity.js';
import { BacklogService } from './backlog.service.js';
import { DispatchCounts } from './dispatch-counts.js';

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
      providers: [BacklogBell, DispatchCounts, BacklogService],
      exports: [BacklogBell],
    };
  }
}
