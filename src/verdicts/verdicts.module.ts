import { Module } from '@nestjs/common';
import { S3Module } from '../s3/s3.module.js';
import { BaselineController } from './baseline/baseline.controller.js';
import { Baseline } from './baseline/baseline.service.js';
import { DenialWatch } from './denial-watch.js';
import { FindingEntity } from './entities/finding.entity.js';
import { ObjectActionEntity } from './entities/object-action.entity.js';
import { ObjectDecisionEntity } from './entities/object-decision.entity.js';
import { ObjectVersionEntity } from './entities/object-version.entity.js';
import { ScanEntity } from './entities/scan.entity.js';
import { VerdictEntity } from './entities/verdict.entity.js';
import { FindingsController, ObjectFindingsController } from './export/findings.controller.js';
import { Ledger } from './ledger.js';
import { ObjectStories } from './object-story.js';
import { ObjectsController } from './objects.controller.js';
import { PostgresLedger } from './postgres-ledger.js';
import { ScanProgress } from './progress.js';
import { CloseScanWorker } from './workers/close-scan.worker.js';
import { RecordFailureWorker } from './workers/record-failure.worker.js';
import { RecordVerdictWorker } from './workers/record-verdict.worker.js';

/** The data source must know these. */
export const VERDICT_ENTITIES = [
  ObjectVersionEntity,
  ScanEntity,
  VerdictEntity,
  FindingEntity,
  ObjectActionEntity,
  ObjectDecisionEntity,
] as const;

/** Task workers of this stage: record_verdict, record_failure, close_scan. */
export const VERDICT_WORKERS = [RecordVerdictWorker, RecordFailureWorker, CloseScanWorker] as const;

/** The ledger: one row per object version, one appended verdict per scan. */
@Module({
  imports: [S3Module],
  controllers: [ObjectsController, ObjectFindingsController, FindingsController, BaselineController],
  providers: [
    ScanProgress,
    Baseline,
    DenialWatch,
    ObjectStories,
    PostgresLedger,
    { provide: Ledger, useExisting: PostgresLedger },
    ...VERDICT_WORKERS,
  ],
  exports: [Ledger, Baseline, ScanProgress, ...VERDICT_WORKERS],
})
export class VerdictsModule {}
