import { Module, type DynamicModule } from '@nestjs/common';
import { EvidenceController } from './evidence/evidence.controller.js';
import { EvidenceService } from './evidence/evidence.service.js';
import { OpenReportHold } from './report-hold.js';
import { ReportClock } from './report-clock.js';
import { REPORT_WORKERS } from './report.workers.js';
import { ReportsController } from './reports.controller.js';
import { ReportsService } from './reports.service.js';

/** The week, told to an auditor. */
@Module({})
export class ReportsModule {
  static with(parts: { imports: NonNullable<DynamicModule['imports']> }): DynamicModule {
    return {
      module: ReportsModule,
      imports: parts.imports,
      controllers: [ReportsController, EvidenceController],
      providers: [ReportsService, EvidenceService, OpenReportHold, ReportClock, ...REPORT_WORKERS],
      exports: [...REPORT_WORKERS],
    };
  }
}
