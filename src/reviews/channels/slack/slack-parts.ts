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
import { SETUP_CONTROLLERS, SETUP_EVENTS, SETUP_PROVIDERS } from './setup/setup-parts.js';
import { SlackChannel } from './slack.channel.js';
import { ThreadReplies } from './threads/thread-replies.js';

/** Handlers of slash commands. */
const COMMANDS: readonly Type<SlackCommandHandler>[] = [ReviewCommand];

/** Handlers of events of the workspace. */
const EVENTS: readonly Type<SlackEventHandler>[] = [
  ...PEOPLE_EVENTS,
  ...SETUP_EVENTS,
  ThreadReplies,
  HomeOpened,
];

/** Outbox handlers. */
export const SLACK_HANDLERS = [...DELIVERY_HANDLERS, SlackHomeHandler] as const;

export const SLACK_CONTROLLERS = [
  ...INBOUND_CONTROLLERS,
  ...PEOPLE_CONTROLLERS,
  ...SETUP_CONTROLLERS,
] as const;

export const SLACK_PROVIDERS: Provider[] = [
  ...SETUP_PROVIDERS,
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
];
