import { Module, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { AccessGuard } from '../../src/access/access.guard.js';
import { Keyring } from '../../src/access/keyring.js';
import {
  PUBLIC_ROUTE,
  ROUTE_ROLES,
  type AccessRole,
  type Principal,
  hasRole,
  ROUTE_GRANTS,
} from '../../src/access/principal.js';
import { Unauthorized } from '../../src/errors.js';
import { readConfig, type Config } from '../../src/config.js';
import { DatabaseModule } from '../../src/database/database.module.js';
import { Notices } from '../../src/database/notices.js';
import { Engine, Metadata } from '../../src/engine/ports.js';
import { createAdapter, furnish } from '../../src/http/server.js';
import { OpsModule } from '../../src/ops/ops.module.js';
import { MailTransport } from '../../src/outbound/mail/mail-transport.js';
import { Mailbox } from '../../src/outbound/mailbox/mailbox.js';
import {
  OutboundModule,
  OUTBOUND_HANDLERS,
  OutboxDeliveryModule,
} from '../../src/outbound/outbound.module.js';
import { HumanWorker } from '../../src/reviews/human.worker.js';
import { Reviewers } from '../../src/reviews/reviewers.js';
import { Readers } from '../../src/reviews/readers.js';
import { Accounts } from '../../src/reviews/uploader/accounts.js';
import { REVIEW_HANDLERS, ReviewsModule } from '../../src/reviews/reviews.module.js';
import { AttachmentScanner } from '../../src/reviews/attachments/attachment-scanner.js';
import { ObjectBytes } from '../../src/reviews/bytes/object-bytes.js';
import { FindingContexts } from '../../src/reviews/context/finding-contexts.js';
import { EvidenceSource } from '../../src/reviews/evidence.js';
import { Ledger } from '../../src/verdicts/ledger.js';
import { testDatabase } from '../support/database.js';
import { GivenMetadata } from './given-metadata.js';
import type { ReviewsStage } from './stage.js';

/** Whoever the header `x-test-user` names; `x-test-roles` and `x-test-grants` say what they may do. */
class HeaderGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const read = (key: string): unknown =>
      targets.map((target): unknown => Reflect.getMetadata(key, target)).find((value) => value !== undefined);
    if (read(PUBLIC_ROUTE) === true) return true;
    const request = context
      .switchToHttp()
      .getRequest<{ headers: Record<string, string | undefined>; principal?: Principal }>();
    const principal = this.identify(request);
    request.principal = principal;
    const needed = read(ROUTE_ROLES) as AccessRole[] | undefined;
    const byGrant = read(ROUTE_GRANTS) !== undefined && (principal.grants ?? []).length > 0;
    return needed === undefined || hasRole(principal, needed) || byGrant;
  }

  identify(request: { headers: Record<string, string | undefined> }): Principal {
    const id = request.headers['x-test-user'];
    if (id === undefined) throw new Unauthorized('Log in first.');
    const roles = (request.headers['x-test-roles'] ?? 'analyst').split(',') as AccessRole[];
    const queues = request.headers['x-test-grants']?.split(',') ?? [];
    const said = request.headers['x-test-method'];
    const method = said === 'apikey' || said === 'token' ? said : 'session';
    const isKey = method !== 'session' || request.headers['x-test-kind'] === 'apikey';
    return {
      kind: isKey ? 'apikey' : 'user',
      id,
      name: id,
      email: request.headers['x-test-email'],
      roles,
      grants: queues.map((scope) => ({ role: 'approver', scope })),
      method,
    };
  }
}

/** Where a test attaches nothing. */
const NO_SCANNER: AttachmentScanner = {
  scan: () => Promise.reject(new Error('this test gave no scanner')),
  shownName: async (name) => name,
};

/** The stage's real modules over HTTP, with the given stage's fakes for what is around it. */
export async function reviewsApp(
  stage: ReviewsStage,
  settings: Record<string, string> = {},
  parts: {
    smtpUrl?: () => string | undefined;
    mailbox?: Mailbox;
    attachmentScanner?: AttachmentScanner;
    metadata?: Metadata;
  } = {},
): Promise<{ app: NestFastifyApplication; config: Config; worker: HumanWorker }> {
  const config = readConfig({ PORT: '8080', ...settings });
  const notices = await Notices.start({ listenUrl: (await testDatabase()).url, sender: stage.db });
  const keyring = await Keyring.open(stage.db, Buffer.alloc(32, 1), stage.clock);
  @Module({
    providers: [
      { provide: Engine, useValue: stage.engine },
      { provide: Metadata, useValue: parts.metadata ?? new GivenMetadata() },
      { provide: Ledger, useValue: stage.ledger },
      { provide: ObjectBytes, useValue: stage.bytes },
      { provide: FindingContexts, useValue: stage.contexts },
      { provide: AttachmentScanner, useValue: parts.attachmentScanner ?? NO_SCANNER },
      { provide: AccessGuard, useClass: HeaderGuard },
      { provide: Keyring, useValue: keyring },
    ],
    exports: [
      Engine,
      Metadata,
      Ledger,
      AccessGuard,
      ObjectBytes,
      FindingContexts,
      AttachmentScanner,
      Keyring,
    ],
  })
  class Surroundings {}
  class Transport extends MailTransport {
    smtpUrl(): string | undefined {
      return parts.smtpUrl?.();
    }
  }
  const reviews = ReviewsModule.with({
    imports: [Surroundings],
    bindings: [
      { provide: Reviewers, useValue: stage.reviewers },
      { provide: Accounts, useValue: stage.accounts },
      { provide: Readers, useValue: stage.readers },
    ],
  });
  @Module({
    imports: [
      OpsModule.using({ config, log: stage.log }),
      DatabaseModule.using({
        database: stage.db,
        dataSource: new DataSource({ type: 'postgres' }),
        clock: stage.clock,
        notices,
      }),
      OutboundModule.with([
        { provide: MailTransport, useClass: Transport },
        ...(parts.mailbox === undefined ? [] : [{ provide: Mailbox, useValue: parts.mailbox }]),
      ]),
      reviews,
      OutboxDeliveryModule.with({
        imports: [reviews],
        handlers: [...OUTBOUND_HANDLERS, ...REVIEW_HANDLERS],
      }),
    ],
    providers: [
      { provide: APP_GUARD, useClass: HeaderGuard },
      { provide: 'hangs up', useValue: { onApplicationShutdown: () => notices.stop() } },
    ],
  })
  class App {}
  const app = await NestFactory.create<NestFastifyApplication>(App, await createAdapter(config, stage.log), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  await furnish(app, '/nonexistent');
  app.get(EvidenceSource, { strict: false }).ofScan = () => stage.evidence.ofScan();
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return { app, config, worker: app.get(HumanWorker, { strict: false }) };
}
