import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { S3Module } from '../s3/s3.module.js';
import { TasksModule } from '../tasks/tasks.module.js';
import { TriggersModule } from '../triggers/triggers.module.js';
import { BucketPolicyService } from './connect/bucket-policy.service.js';
import { ConnectController } from './connect/connect.controller.js';
import { ConnectService } from './connect/connect.service.js';
import { ConnectTargets } from './connect/connect-targets.js';
import { IntakeEventEntity } from './entities/intake-event.entity.js';
import { IntakeRejectEntity } from './entities/intake-reject.entity.js';
import { EndpointTokens } from './endpoint-tokens.js';
import { EndpointTokensController } from './endpoint-tokens.controller.js';
import { BucketDoctor } from './doctor/bucket-doctor.js';
import { QueueDoctor } from './doctor/queue-doctor.js';
import { EventsController } from './events.controller.js';
import { ExternalThreats } from './external-threats.js';
import { IntakeService } from './intake.service.js';
import {
  LISTING_CONTROLLERS,
  LISTING_JOBS,
  LISTING_PROVIDERS,
  LISTING_WORKERS,
} from './listing/listing-providers.js';
import { ListingRuns } from './listing/runs.service.js';
import { ScanRequests } from './scan-requests.service.js';
import { ScansController } from './scans.controller.js';
import { RejectsController } from './rejects/rejects.controller.js';
import { RejectsService } from './rejects/rejects.service.js';
import { RejectsUpkeep } from './rejects/rejects-upkeep.js';
import { FetchedCertificates, SnsCertificates } from './sns/sns-certificates.js';
import { SnsController } from './sns/sns.controller.js';
import { SnsService } from './sns/sns.service.js';
import { DeadLetterWatch } from './sqs/dead-letter-watch.js';
import { EventQueuesController } from './sqs/event-queues.controller.js';
import { Probes } from './probes/probe.js';
import { QueueIntake } from './sqs/queue-intake.js';
import { SqsService } from './sqs/sqs.service.js';

/** The data source must know these. */
export const INTAKE_ENTITIES = [IntakeEventEntity, IntakeRejectEntity] as const;

/** Something was uploaded: event sources, and scans on request. */
@Module({})
export class IntakeModule {
  /** `imports` bring the BacklogModule that the service runs; `imports` or `providers` bring the EventsToken. */
  static with(parts: {
    readonly imports: NonNullable<ModuleMetadata['imports']>;
    readonly providers?: NonNullable<ModuleMetadata['providers']>;
  }): DynamicModule {
    return {
      module: IntakeModule,
      imports: [...parts.imports, S3Module, TasksModule, TriggersModule],
      controllers: [
        EventsController,
        SnsController,
        RejectsController,
        EventQueuesController,
        EndpointTokensController,
        ScansController,
        ConnectController,
        ...LISTING_CONTROLLERS,
      ],
      providers: [
        IntakeService,
        EndpointTokens,
        ScanRequests,
        QueueIntake,
        SqsService,
        DeadLetterWatch,
        SnsService,
        RejectsService,
        RejectsUpkeep,
        ExternalThreats,
        { provide: SnsCertificates, useClass: FetchedCertificates },
        BucketPolicyService,
        ConnectService,
        ConnectTargets,
        Probes,
        BucketDoctor,
        QueueDoctor,
        ...LISTING_PROVIDERS,
        ...(parts.providers ?? []),
      ],
      exports: [IntakeService, ScanRequests, ListingRuns, ...LISTING_JOBS, ...LISTING_WORKERS],
    };
  }
}
