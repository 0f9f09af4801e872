import { Module } from '@nestjs/common';
import { S3Module } from '../s3/s3.module.js';
import { AuditAnchorHandler } from './anchors/anchor.handler.js';
import { AuditPlaces } from './anchors/places.js';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { AuditCheckpoints } from './chain/checkpoints.js';
import { AuditSequencer } from './chain/sequencer.js';
import { Erasure, ERASURE_HOLDS } from './personal/erasure.js';

/** Outbox handlers of this stage. */
export const AUDIT_HANDLERS = [AuditAnchorHandler] as const;

/** The record that every stage writes to: chained, signed, kept elsewhere, and verified. */
@Module({
  imports: [S3Module],
  controllers: [AuditController],
  providers: [
    AuditPlaces,
    AuditCheckpoints,
    AuditSequencer,
    AuditService,
    AuditAnchorHandler,
    Erasure,
    { provide: ERASURE_HOLDS, useValue: [] },
  ],
  exports: [AuditService, AuditCheckpoints, AuditAnchorHandler],
})
export class AuditModule {}
