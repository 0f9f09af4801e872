import { AccountFinder } from './account-finder.js';
import { ChannelJoiner } from './channel-joiner.js';
import { ChannelLooks } from './channel-looks.js';
import { KnownQueues } from './known-queues.js';
import { ProposalMessages } from './proposal-messages.js';
import { SlackSetupHealth } from './setup-health.js';
import { SlackAccess } from './slack-access.js';
import { SlackDoctor } from './slack-doctor.js';
import { SlackProbe } from './slack-probe.js';
import { SlackProposalsController } from './slack-proposals.controller.js';
import { SlackProposals } from './slack-proposals.service.js';
import { SlackSettingsService } from './slack-settings.service.js';
import { SlackSetupController } from './slack-setup.controller.js';
import { SlackStatusService } from './slack-status.service.js';
import { SlackWorkspace } from './slack-workspace.js';
import { AppUninstalledEvent, LostToken, TokensRevokedEvent } from './token-events.js';
import { TokenLooks } from './token-look.js';

/** Events that say that the app is out of the workspace. */
export const SETUP_EVENTS = [TokensRevokedEvent, AppUninstalledEvent] as const;

export const SETUP_CONTROLLERS = [SlackSetupController, SlackProposalsController] as const;

/** How reviews get into Slack, and what is missing. */
export const SETUP_PROVIDERS = [
  SlackAccess,
  SlackWorkspace,
  SlackSettingsService,
  TokenLooks,
  ChannelLooks,
  SlackStatusService,
  SlackSetupHealth,
  SlackProbe,
  ChannelJoiner,
  KnownQueues,
  AccountFinder,
  ProposalMessages,
  SlackProposals,
  LostToken,
  SlackDoctor,
] as const;
