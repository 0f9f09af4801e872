import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { ExceptionClock } from './exceptions/exception-clock.js';
import { GrantExceptionWorker, RefuseExceptionWorker } from './exceptions/exception-workers.js';
import { ExceptionsController } from './exceptions/exceptions.controller.js';
import { Exceptions } from './exceptions/exceptions.service.js';
import { ExceptionOverHandler } from './exceptions/over.handler.js';
import { ExceptionReopenHandler } from './exceptions/reopen.handler.js';
import { ReleasesController } from './releases/releases.controller.js';
import { Releases } from './releases/releases.service.js';
import { RemediesController } from './remedies/remedies.controller.js';
import { Remedies } from './remedies/remedies.service.js';
import { CloseRemedyWorker, OpenRemedyWorker } from './remedies/remedy-workers.js';
import { StartWorkflowHandler } from './start-workflow.handler.js';

/** Task workers of this stage. */
export const FINDING_WORKERS = [
  GrantExceptionWorker,
  RefuseExceptionWorker,
  OpenRemedyWorker,
  CloseRemedyWorker,
] as const;

/** Outbox handlers of this stage. */
export const FINDING_HANDLERS = [StartWorkflowHandler, ExceptionOverHandler, ExceptionReopenHandler] as const;

/** What becomes of a finding: two people agree that it does not count, or it is remedied. */
@Module({})
export class FindingsModule {
  /** `imports` bring Engine, Directory and what `bindings` need; these provide Rescans. */
  static with(parts: {
    imports: NonNullable<DynamicModule['imports']>;
    bindings: Provider[];
  }): DynamicModule {
    return {
      module: FindingsModule,
      imports: parts.imports,
      controllers: [ExceptionsController, ReleasesController, RemediesController],
      providers: [
        ...parts.bindings,
        Exceptions,
        ExceptionClock,
        Releases,
        Remedies,
        ...FINDING_WORKERS,
        ...FINDING_HANDLERS,
      ],
      exports: [...FINDING_WORKERS, ...FINDING_HANDLERS],
    };
  }
}
