import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { AccessModule } from './access/access.module.js';
import { Directory } from './access/directory.js';
import { HomeProofController } from './access/home-proof.controller.js';
import { Keyring } from './access/keyring.js';
import { hasRole, READERS } from './access/principal.js';
import { AUDIT_HANDLERS, AuditModule } from './audit/audit.module.js';
import { RestoreModule } from './backup/restore.module.js';
import { BACKLOG_ENTITIES, BacklogModule } from './backlog/backlog.module.js';
import type { Clock } from './clock.js';
import { CONFIG, type Config } from './config.js';
import type { Database } from './database/database.js';
import { DatabaseModule } from './database/database.module.js';
import type { Notices } from './database/notices.js';
import { HomeDoor } from './embedded/home-address.js';
import type { EmbeddedMailbox } from './embedded/mailbox/start-mailbox.js';
import { EngineModule } from './engine/engine.module.js';
import { PayloadStore } from './engine/payloads/payload-store.js';
import { StreamModule } from './engine/stream/stream.module.js';
import { FINDING_HANDLERS, FINDING_WORKERS, FindingsModule } from './findings/findings.module.js';
import { Rescans } from './findings/rescans.js';
import { EventsToken } from './intake/events-token.js';
import { INTAKE_ENTITIES, IntakeModule } from './intake/intake.module.js';
import { DefaultSchedulesModule } from './intake/listing/default-schedules.module.js';
import { ScanRequests } from './intake/scan-requests.service.js';
import { LISTING_JOBS, LISTING_WORKERS } from './intake/listing/listing-providers.js';
import type { Log } from './ops/log.js';
import { OpsModule } from './ops/ops.module.js';
import { MailTransport } from './outbound/mail/mail-transport.js';
import { Mailbox } from './outbound/mailbox/mailbox.js';
import { OUTBOUND_HANDLERS, OutboundModule, OutboxDeliveryModule } from './outbound/outbound.module.js';
import { REPORT_WORKERS } from './reports/report.workers.js';
import { ProcessModule } from './process/process.module.js';
import { ReportsModule } from './reports/reports.module.js';
import { HumanWorker } from './reviews/human.worker.js';
import { LegalErasureHold } from './reports/holds/legal-erasure-hold.js';
import { LegalRetentionHold } from './reports/holds/legal-retention-hold.js';
import { OpenReportHold } from './reports/report-hold.js';
import { OpenReviewHold } from './reviews/review-hold.js';
import { Readers } from './reviews/readers.js';
import { Reviewers } from './reviews/reviewers.js';
import { Accounts } from './reviews/uploader/accounts.js';
import { REVIEW_HANDLERS, ReviewsModule } from './reviews/reviews.module.js';
import { CONFIGURED_ENDPOINT } from './s3/buckets.js';
import { ObjectStorage } from './s3/object-storage.js';
import { S3PayloadStore } from './s3/s3-payload.store.js';
import { S3_ENTITIES, S3Module } from './s3/s3.module.js';
import { TASKS_WORKERS, TasksModule } from './tasks/tasks.module.js';
import { SCHEDULE_ENTITIES, SchedulesModule } from './triggers/schedules/schedules.module.js';
import { TRIGGER_ENTITIES, TriggersServiceModule } from './triggers/triggers.module.js';
import { VERDICT_ENTITIES, VERDICT_WORKERS, VerdictsModule } from './verdicts/verdicts.module.js';

/** Every entity of every stage, for the data source. */
export const ENTITIES = [
  ...S3_ENTITIES,
  ...INTAKE_ENTITIES,
  ...TRIGGER_ENTITIES,
  ...SCHEDULE_ENTITIES,
  ...BACKLOG_ENTITIES,
  ...VERDICT_ENTITIES,
];

/** What is made before the application: see `service.ts`. */
export interface AppParts {
  readonly config: Config;
  readonly log: Log;
  readonly database: Database;
  readonly dataSource: DataSource;
  readonly clock: Clock;
  readonly notices: Notices;
  readonly keyring: Keyring;
  /** Catches mail while no SMTP_URL is set. */
  readonly mailbox: EmbeddedMailbox | undefined;
  readonly eventsToken: string;
  readonly homeDoor: HomeDoor;
}

@Global()
@Module({})
class KeyringModule {
  static using(keyring: Keyring): DynamicModule {
    return {
      module: KeyringModule,
      providers: [{ provide: Keyring, useValue: keyring }],
      exports: [Keyring],
    };
  }
}

/** The table of contents: what every stage stands on, then the stages in the order of the flow. */
@Module({})
export class AppModule {
  static with(parts: AppParts): DynamicModule {
    const engine = EngineModule.with({
      imports: [S3Module],
      payloadStore,
      holds: [OpenReviewHold, OpenReportHold, LegalRetentionHold],
      workers: [
        ...LISTING_WORKERS,
        ...TASKS_WORKERS,
        ...FINDING_WORKERS,
        HumanWorker,
        ...VERDICT_WORKERS,
        ...REPORT_WORKERS,
      ],
    });
    const backlog = BacklogModule.with({ imports: [engine] });
    const intake = IntakeModule.with({
      imports: [backlog],
      providers: [{ provide: EventsToken, useValue: { value: () => parts.eventsToken } }],
    });
    const schedules = SchedulesModule.with({ imports: [engine, intake], jobs: LISTING_JOBS });
    const findings = FindingsModule.with({
      imports: [AccessModule, engine, intake, VerdictsModule],
      bindings: [{ provide: Rescans, useExisting: ScanRequests }],
    });
    const reviews = ReviewsModule.with({
      imports: [engine, VerdictsModule, TasksModule],
      bindings: [reviewers, readers, accounts],
    });
    const audit = AuditModule.with({ erasureHolds: [LegalErasureHold] });
    return {
      module: AppModule,
      controllers: [HomeProofController],
      providers: [{ provide: HomeDoor, useValue: parts.homeDoor }],
      imports: [
        OpsModule.using(parts),
        DatabaseModule.using(parts),
        KeyringModule.using(parts.keyring),
        AccessModule,
        S3Module,
        OutboundModule.with(mail(parts)),

        intake,
        TriggersServiceModule.with({ imports: [engine, backlog] }),
        schedules,
        DefaultSchedulesModule.with({ imports: [schedules] }),
        backlog,
        engine,
        StreamModule.with({ imports: [engine] }),
        TasksModule,
        findings,
        reviews,
        VerdictsModule,
        audit,
        ProcessModule,
        ReportsModule.with({ imports: [engine, audit] }),
        RestoreModule.with({ imports: [intake] }),

        OutboxDeliveryModule.with({
          imports: [findings, reviews, audit],
          handlers: [...OUTBOUND_HANDLERS, ...AUDIT_HANDLERS, ...FINDING_HANDLERS, ...REVIEW_HANDLERS],
        }),
      ],
    };
  }
}

const payloadStore: Provider = {
  provide: PayloadStore,
  inject: [CONFIG, ObjectStorage],
  useFactory: ({ PAYLOAD_BUCKET: bucket }: Config, storage: ObjectStorage): PayloadStore | undefined =>
    bucket === undefined
      ? undefined
      : new S3PayloadStore(storage, { endpointId: CONFIGURED_ENDPOINT, bucket }),
};

const reviewers: Provider = {
  provide: Reviewers,
  inject: [Directory],
  useFactory: (directory: Directory): Reviewers => ({
    list: async () =>
      (await directory.deciders()).map(({ id, login, name, email, groups, roles, queues }) => ({
        personId: id,
        login,
        name,
        email,
        groups,
        isAdmin: roles.includes('admin'),
        queues,
      })),
  }),
};

const readers: Provider = {
  provide: Readers,
  inject: [Directory],
  useFactory: (directory: Directory): Readers => ({
    list: async () =>
      (await directory.people()).flatMap(({ approves, disabled, ...person }) => {
        if (disabled) return [];
        if (hasRole(person, [...READERS, 'approver'])) return [person];
        return approves.length === 0 ? [] : [{ ...person, queues: approves }];
      }),
  }),
};

const accounts: Provider = {
  provide: Accounts,
  inject: [Directory],
  useFactory: (directory: Directory): Accounts => ({ list: () => directory.people() }),
};

function mail({ config, mailbox }: AppParts): Provider[] {
  const transport: MailTransport = { smtpUrl: () => config.SMTP_URL ?? mailbox?.smtpUrl };
  return [
    { provide: MailTransport, useValue: transport },
    ...(mailbox === undefined ? [] : [{ provide: Mailbox, useValue: mailbox }]),
  ];
}
