import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { REVIEW_CHANNELS, type ReviewChannel } from './channels/channel.js';
import { CompleteHandler } from './complete.handler.js';
import { EvidenceSource, LedgerEvidence } from './evidence.js';
import { HumanWorker } from './human.worker.js';
import { ReviewsController } from './reviews.controller.js';
import { ReviewsService } from './reviews.service.js';
import { ReviewSweeper } from './sweeper.js';

/** Outbox handlers of this stage. */
export const REVIEW_HANDLERS = [CompleteHandler] as const;

/** A person decides. */
@Module({})
export class ReviewsModule {
  /**
   * `imports` bring Engine and Ledger; `bindings` provide Reviewers. Outbox, database, clock and configuration are
   * global.
   */
  static with(parts: {
    imports: NonNullable<DynamicModule['imports']>;
    bindings: Provider[];
  }): DynamicModule {
    return {
      module: ReviewsModule,
      imports: parts.imports,
      controllers: [ReviewsController],
      providers: [
        ...parts.bindings,
        ReviewsService,
        HumanWorker,
        CompleteHandler,
        ReviewSweeper,
        { provide: EvidenceSource, useClass: LedgerEvidence },
        { provide: REVIEW_CHANNELS, useFactory: (): ReviewChannel[] => [], inject: [] },
      ],
      exports: [ReviewsService, HumanWorker, CompleteHandler],
    };
  }
}
