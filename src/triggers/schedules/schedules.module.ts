import { Module, type DynamicModule, type ModuleMetadata, type Type } from '@nestjs/common';
import { WorkflowJob } from './jobs/workflow.job.js';
import { ScheduleFiringEntity } from './schedule-firing.entity.js';
import { ScheduleRunner } from './schedule-runner.js';
import { ScheduleEntity } from './schedule.entity.js';
import { ScheduledJobs, type ScheduledJob } from './scheduled-job.js';
import { SchedulesController } from './schedules.controller.js';
import { Schedules } from './schedules.service.js';

/** The data source must know these. */
export const SCHEDULE_ENTITIES = [ScheduleEntity, ScheduleFiringEntity] as const;

/** What comes again and again: schedules, and the loop that fires them. */
@Module({})
export class SchedulesModule {
  /**
   * `imports` bring the Engine, and export what `jobs` names: the kinds of schedules beside `workflow`.
   */
  static with(parts: {
    readonly imports: NonNullable<ModuleMetadata['imports']>;
    readonly jobs?: readonly Type<ScheduledJob>[];
  }): DynamicModule {
    return {
      module: SchedulesModule,
      imports: parts.imports,
      controllers: [SchedulesController],
      providers: [
        WorkflowJob,
        {
          provide: ScheduledJobs,
          useFactory: (...jobs: ScheduledJob[]) => new ScheduledJobs(jobs),
          inject: [WorkflowJob, ...(parts.jobs ?? [])],
        },
        Schedules,
        ScheduleRunner,
      ],
      exports: [Schedules],
    };
  }
}
