import type { Provider } from '@nestjs/common';
import { UserChangeEvent } from './account-changes.js';
import { SlackAccounts } from './slack-accounts.js';
import { SlackIdentities } from './slack-identities.js';
import { SlackLinkController } from './slack-link.controller.js';
import { MySlackController, SlackPeopleController } from './slack-people.controller.js';
import { SlackSpeakers } from './slack-speakers.js';

/** For whom an account in Slack speaks. */
export const PEOPLE_PROVIDERS: Provider[] = [SlackIdentities, SlackAccounts, SlackSpeakers];

export const PEOPLE_CONTROLLERS = [SlackLinkController, SlackPeopleController, MySlackController] as const;

export const PEOPLE_EVENTS = [UserChangeEvent] as const;
