import type { Provider } from '@nestjs/common';
import { AfterWork } from './after-work.js';
import { SlackCommands } from './slack-commands.js';
import { SignatureWatch } from './signature-watch.js';
import { SlackConnection } from './slack-connection.js';
import { SlackCounts } from './slack-counts.js';
import { SlackEvents } from './slack-events.js';
import { SlackForgetting } from './slack-forgetting.js';
import { SlackHealth } from './slack-health.js';
import { SlackHttpController } from './slack-http.controller.js';
import { SlackInbound } from './slack-inbound.js';
import { SlackInteractions } from './slack-interactions.js';
import { SlackRequests } from './slack-requests.js';
import { SlackWhispers } from './slack-whispers.js';
import { SocketEnvelopes } from './socket-envelopes.js';
import { SocketPlace } from './socket-place.js';

/** What comes in from Slack, over its socket or by HTTP. */
export const INBOUND_PROVIDERS: Provider[] = [
  SlackWhispers,
  SlackInteractions,
  SlackCommands,
  SlackEvents,
  SlackInbound,
  SlackCounts,
  AfterWork,
  SignatureWatch,
  SlackRequests,
  SocketPlace,
  SocketEnvelopes,
  SlackConnection,
  SlackHealth,
  SlackForgetting,
];

export const INBOUND_CONTROLLERS = [SlackHttpController] as const;
