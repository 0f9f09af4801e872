import { Module, type DynamicModule } from '@nestjs/common';
import { ReportBundles } from './bundle/report-bundles.js';
import { EvidenceController } from './evidence/evidence.controller.js';
import { EvidenceService } from './evidence/evidence.service.js';
import { LegalHoldsController } from './holds/legal-holds.controller.js';
import { LegalHolds } from './holds/legal-holds.service.js';
import { LegalRetentionHold } from './holds/legal-retention-hold.js';
import { ReportClock } from './report-clock.js';
import { OpenReportHold } from './report-hold.js';
import { ReportMailer } from './report-mailer.js';
import { ReportMaker } from './report-maker.js';
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
      controllers: [ReportsController, EvidenceController, LegalHoldsController],
      providers: [
        ReportsService,
        ReportMaker,
        ReportBundles,
        ReportMailer,
        EvidenceService,
        LegalHolds,
        LegalRetentionHold,
        OpenReportHold,
        ReportClock,
        ...REPORT_WORKERS,
      ],
      exports: [...REPORT_WORKERS],
    };
  }
}
