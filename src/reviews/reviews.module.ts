import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { UploaderQuestionHandler } from './ask-uploader/uploader-question.handler.js';
import { AbsencesController } from './absences.controller.js';
import { CalendarsController } from './calendars/calendars.controller.js';
import { Calendars } from './calendars/calendars.service.js';
import { REVIEW_CHANNELS, type ReviewChannel } from './channels/channel.js';
import { MailChannel } from './channels/mail/mail.channel.js';
import { MailLinkService } from './channels/mail/mail-link.service.js';
import { DNS_LOOKUP, InboundMail, systemDns } from './channels/mail/inbound/inbound-mail.js';
import { MailBounces } from './channels/mail/inbound/mail-bounces.js';
import { MailListener } from './channels/mail/inbound/mail-listener.js';
import { MailReplies } from './channels/mail/inbound/mail-replies.js';
import { MailPreferencesController } from './channels/mail/preferences/preferences.controller.js';
import { MailPreferences } from './channels/mail/preferences/preferences.service.js';
import { UnsubscribeController } from './channels/mail/preferences/unsubscribe.controller.js';
import { MailSuspensionsController } from './channels/mail/inbound/suspensions.controller.js';
import { MailPageController } from './channels/mail/mail-page.controller.js';
import { ReviewDigestHandler } from './channels/mail/review-digest.handler.js';
import { ReviewNewsHandler } from './channels/mail/review-news.handler.js';
import { ReviewMailHandler } from './channels/mail/review-mail.handler.js';
import { WebhookChannel } from './channels/webhook/webhook.channel.js';
import { WebhookEgress } from './channels/webhook/webhook-egress.js';
import { WebhookHandler } from './channels/webhook/webhook.handler.js';
import { WebhookSecrets } from './channels/webhook/webhook-secrets.js';
import { WebhooksController } from './channels/webhook/webhooks.controller.js';
import { WebhooksService } from './channels/webhook/webhooks.service.js';
import { SlackChannel } from './channels/slack/slack.channel.js';
import { SLACK_CONTROLLERS, SLACK_HANDLERS, SLACK_PROVIDERS } from './channels/slack/slack-parts.js';
import { BACKLOG_CONTROLLERS, BACKLOG_PROVIDERS } from './backlog-parts.js';
import { CompleteHandler } from './complete.handler.js';
import { EVIDENCE_CONTROLLERS, EVIDENCE_PROVIDERS } from './evidence-parts.js';
import { EvidenceSource, LedgerEvidence } from './evidence.js';
import { FourEyes } from './four-eyes.js';
import { HumanWorker } from './human.worker.js';
import { ReviewMetricsController } from './metrics/metrics.controller.js';
import { ReviewQueueGauges } from './metrics/queue-gauges.js';
import { ReviewQueueReadings } from './metrics/queue-readings.js';
import { ReviewQueueRecorder } from './metrics/queue-recorder.js';
import { FormTemplates } from './orkes/form-templates.js';
import { HumanTasks } from './orkes/human-tasks.js';
import { HumanTasksController } from './orkes/human-tasks.controller.js';
import { HumanTemplatesController } from './orkes/human-templates.controller.js';
import { People } from './people.js';
import { OpenReviewHold } from './review-hold.js';
import { ReviewActionsController } from './review-actions.controller.js';
import { ReviewDesk } from './review-desk.js';
import { ReviewsController } from './reviews.controller.js';
import { ReviewsService } from './reviews.service.js';
import { ReviewSweeper } from './sweeper.js';
import { ReviewWriter } from './review-writer.js';
import { BellChannel } from './stream/bell.channel.js';
import { ReviewAttendance } from './stream/review-attendance.js';
import { ReviewBell } from './stream/review-bell.js';
import { ReviewFeed } from './stream/review-feed.js';
import { ReviewStreamController } from './stream/review-stream.controller.js';
import { Timekeeper } from './timekeeper.js';

/** Outbox handlers of this stage. */
export const REVIEW_HANDLERS = [
  CompleteHandler,
  ReviewMailHandler,
  ReviewDigestHandler,
  ReviewNewsHandler,
  ...SLACK_HANDLERS,
  WebhookHandler,
  UploaderQuestionHandler,
] as const;

/** A person decides. */
@Module({})
export class ReviewsModule {
  /**
   * `imports` bring Engine, Ledger, ObjectBytes, FindingContexts and AttachmentScanner; `bindings` provide Reviewers, Readers and
   * Accounts. Outbox, database, clock and configuration are global.
   */
  static with(parts: {
    imports: NonNullable<DynamicModule['imports']>;
    bindings: Provider[];
  }): DynamicModule {
    return {
      module: ReviewsModule,
      imports: parts.imports,
      controllers: [
        ReviewMetricsController,
        ReviewStreamController,
        ReviewsController,
        ReviewActionsController,
        AbsencesController,
        CalendarsController,
        HumanTasksController,
        HumanTemplatesController,
        ...BACKLOG_CONTROLLERS,
        ...EVIDENCE_CONTROLLERS,
        MailPageController,
        MailSuspensionsController,
        MailPreferencesController,
        UnsubscribeController,
        ...SLACK_CONTROLLERS,
        WebhooksController,
      ],
      providers: [
        ...parts.bindings,
        ReviewsService,
        ReviewWriter,
        ReviewDesk,
        People,
        FourEyes,
        ...EVIDENCE_PROVIDERS,
        ...BACKLOG_PROVIDERS,
        Timekeeper,
        OpenReviewHold,
        Calendars,
        FormTemplates,
        HumanTasks,
        HumanWorker,
        CompleteHandler,
        ReviewSweeper,
        ReviewQueueReadings,
        ReviewQueueGauges,
        ReviewQueueRecorder,
        { provide: EvidenceSource, useClass: LedgerEvidence },
        MailChannel,
        MailLinkService,
        MailBounces,
        MailPreferences,
        MailReplies,
        InboundMail,
        MailListener,
        { provide: DNS_LOOKUP, useValue: systemDns },
        ReviewMailHandler,
        ReviewDigestHandler,
        ReviewNewsHandler,
        ...SLACK_PROVIDERS,
        BellChannel,
        ReviewBell,
        ReviewFeed,
        ReviewAttendance,
        WebhookChannel,
        WebhookEgress,
        WebhookHandler,
        WebhookSecrets,
        WebhooksService,
        {
          provide: REVIEW_CHANNELS,
          useFactory: (...channels: ReviewChannel[]) => channels,
          inject: [MailChannel, SlackChannel, WebhookChannel, BellChannel],
        },
      ],
      exports: [ReviewsService, HumanWorker, ...REVIEW_HANDLERS],
    };
  }
}
