import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { Alerts } from './alerts.js';
import { Egress } from './egress/egress.js';
import { MailDoctor } from './mail/mail-doctor.js';
import { MailHandler } from './mail/mail.handler.js';
import { Mailer } from './mail/mailer.js';
import { MailboxController } from './mailbox/mailbox.controller.js';
import { OutboxBell } from './outbox-bell.js';
import { OutboxRunner } from './outbox.runner.js';
import { Outbox, OUTBOX_HANDLERS, type OutboxHandler } from './outbox.js';
import { PostgresOutbox } from './postgres-outbox.js';

/** Handlers that this stage brings; app.module adds those of the others. */
export const OUTBOUND_HANDLERS: readonly Type<OutboxHandler>[] = [MailHandler];

/**
 * The only way out: the durable outbox, mail, and the egress guard.
 *
 * {@link OutboundModule.with} is the part that stages import to enqueue and to send; {@link OutboxDeliveryModule} is
 * the part that delivers and knows every handler.
 */
@Module({})
export class OutboundModule {
  /** `bindings` provide MailTransport, and Mailbox when the embedded one is used. Global: every stage may enqueue. */
  static with(bindings: Provider[]): DynamicModule {
    return {
      module: OutboundModule,
      global: true,
      controllers: [MailboxController],
      providers: [
        ...bindings,
        OutboxBell,
        PostgresOutbox,
        { provide: Outbox, useExisting: PostgresOutbox },
        Alerts,
        Mailer,
        MailHandler,
        MailDoctor,
        { provide: Egress, useFactory: () => new Egress() },
      ],
      exports: [Alerts, Outbox, OutboxBell, Mailer, MailHandler, Egress],
    };
  }
}

/** Delivers what the outbox holds. */
@Module({})
export class OutboxDeliveryModule {
  /** `imports` are the modules that export the handlers. */
  static with(parts: {
    imports: NonNullable<DynamicModule['imports']>;
    handlers: readonly Type<OutboxHandler>[];
  }): DynamicModule {
    return {
      module: OutboxDeliveryModule,
      imports: parts.imports,
      providers: [
        {
          provide: OUTBOX_HANDLERS,
          useFactory: (...handlers: OutboxHandler[]) => handlers,
          inject: [...parts.handlers],
        },
        OutboxRunner,
      ],
      exports: [OutboxRunner],
    };
  }
}
