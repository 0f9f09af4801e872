import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { S3Module } from '../s3/s3.module.js';
import { AuditAnchorHandler } from './anchors/anchor.handler.js';
import { AuditPlaces } from './anchors/places.js';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { AuditCheckpoints } from './chain/checkpoints.js';
import { AuditSequencer } from './chain/sequencer.js';
import { Erasure, ERASURE_HOLDS, type ErasureHold } from './personal/erasure.js';

/** Outbox handlers of this stage. */
export const AUDIT_HANDLERS = [AuditAnchorHandler] as const;

/** The record that every stage writes to: chained, signed, kept elsewhere, and verified. */
@Module({})
export class AuditModule {
  /** @param parts.erasureHolds which need no more than the database. */
  static with({ erasureHolds }: { readonly erasureHolds: readonly Type<ErasureHold>[] }): DynamicModule {
    return {
      module: AuditModule,
      imports: [S3Module],
      controllers: [AuditController],
      providers: [
        AuditPlaces,
        AuditCheckpoints,
        AuditSequencer,
        AuditService,
        AuditAnchorHandler,
        Erasure,
        ...erasureHolds,
        {
          provide: ERASURE_HOLDS,
          useFactory: (...holds: readonly ErasureHold[]) => holds,
          inject: [...erasureHolds],
        },
      ],
      exports: [AuditService, AuditCheckpoints, AuditAnchorHandler],
    };
  }
}
