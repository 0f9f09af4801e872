import type { Provider, Type } from '@nestjs/common';
import { ANSWER_PROVIDERS } from './answers/answer-parts.js';
import { COMMAND_PROVIDERS } from './commands/command-parts.js';
import { ReviewCommand } from './commands/slash.command.js';
import { DELIVERY_HANDLERS, DELIVERY_PROVIDERS } from './delivery/delivery-parts.js';
import { HomeOpened } from './home/home-opened.event.js';
import { HOME_PROVIDERS } from './home/home-parts.js';
import { SlackHomeHandler } from './home/home.handler.js';
import { SLACK_COMMANDS, type SlackCommandHandler } from './inbound/commands.js';
import { SLACK_EVENTS, type SlackEventHandler } from './inbound/events.js';
import { INBOUND_CONTROLLERS, INBOUND_PROVIDERS } from './inbound/inbound-parts.js';
import { PEOPLE_CONTROLLERS, PEOPLE_EVENTS, PEOPLE_PROVIDERS } from './people/people-parts.js';
import { SlackAccess } from './setup/slack-access.js';
import { AccountFinder } from './setup/account-finder.js';
import { ChannelJoiner } from './setup/channel-joiner.js';
import { ChannelLooks } from './setup/channel-looks.js';
import { SlackSetupHealth } from './setup/setup-health.js';
import { SlackDoctor } from './setup/slack-doctor.js';
import { ProposalMessages } from './setup/proposal-messages.js';
import { SlackProbe } from './setup/slack-probe.js';
import { SlackProposalsController } from './setup/slack-proposals.controller.js';
import { SlackProposals } from './setup/slack-proposals.service.js';
import { SlackSetupController } from './setup/slack-setup.controller.js';
import { SlackSettingsService } from './setup/slack-settings.service.js';
import { SlackStatusService } from './setup/slack-status.service.js';
import { SlackWorkspace } from './setup/slack-workspace.js';
import { TokenLooks } from './setup/token-look.js';
import { SlackChannel } from './slack.channel.js';
import { ThreadReplies } from './threads/thread-replies.js';

/** Handlers of slash commands. */
const COMMANDS: readonly Type<SlackCommandHandler>[] = [ReviewCommand];

/** Handlers of events of the workspace. */
const EVENTS: readonly Type<SlackEventHandler>[] = [...PEOPLE_EVENTS, ThreadReplies, HomeOpened];

/** Outbox handlers. */
export const SLACK_HANDLERS = [...DELIVERY_HANDLERS, SlackHomeHandler] as const;

export const SLACK_CONTROLLERS = [
  ...INBOUND_CONTROLLERS,
  ...PEOPLE_CONTROLLERS,
  SlackSetupController,
  SlackProposalsController,
] as const;

export const SLACK_PROVIDERS: Provider[] = [
  SlackAccess,
  SlackSettingsService,
  SlackStatusService,
  SlackProbe,
  ChannelLooks,
  TokenLooks,
  SlackSetupHealth,
  ChannelJoiner,
  AccountFinder,
  ProposalMessages,
  SlackProposals,
  SlackWorkspace,
  SlackChannel,
  ...DELIVERY_PROVIDERS,
  ...PEOPLE_PROVIDERS,
  ...ANSWER_PROVIDERS,
  ...COMMAND_PROVIDERS,
  ...HOME_PROVIDERS,
  ...COMMANDS,
  ...EVENTS,
  { provide: SLACK_COMMANDS, useFactory: (...commands: unknown[]) => commands, inject: [...COMMANDS] },
  { provide: SLACK_EVENTS, useFactory: (...events: unknown[]) => events, inject: [...EVENTS] },
  ...INBOUND_PROVIDERS,
  SlackDoctor,
];
