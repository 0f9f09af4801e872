import { randomBytes } from 'node:crypto';
import { WebClient, type LogLevel } from '@slack/web-api';
import { createEmulator, type Emulator } from 'emulate';
import { afterAll, beforeAll, describe } from 'vitest';
import { freePort } from '../support/free-port.js';
import { FakeSlack } from '../support/slack/fake-slack.js';
import type { Differences } from './behaviour.js';
import { describeSlack, type SlackBehaviour, type SlackUnderTest } from './slack.suite.js';

/*
 * emulate 0.11.2, the last that runs on Node 20. The version is exact in package.json: the tag `latest` of that name
 * is an unrelated package.
 */
const differences: Differences<SlackBehaviour> = {
  'a message that is changed without blocks keeps those it had': 'emulate takes them away; Slack keeps them',
  'a thread that is not there is an error': 'emulate answers with an empty thread',
  'an answer to a message that is gone stands in the channel':
    'emulate begins a thread without a root; Slack forgets the thread without a word',
  'a whisper to somebody who is not in the channel is refused':
    'emulate says user_not_found, which Slack does not name for this method',
  'metadata is given to those who ask for it, and to nobody else': 'emulate always gives it',
  'a token that nobody was given is refused': 'emulate takes an unknown token for its first admin',
  'blocks above the limits are refused': 'emulate looks into no block',
  'a message whose texts are too long together is refused': 'emulate looks into no block',
  'a second message within a second has to wait, and is told how long': 'emulate has no limits of pace',
  'Socket Mode has an address': 'emulate has no Socket Mode',
};

const SCOPES =
  'chat:write channels:history channels:read im:write users:read users:read.email files:write files:read'.split(
    ' ',
  );
const EMAIL = 'alice@example.org';

/** Clients of one workspace, which say nothing by themselves. */
const clientOf = (apiUrl: string, token: string): WebClient =>
  new WebClient(token, {
    slackApiUrl: apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logLevel: 'none' as LogLevel,
  });

// Made here, so that no token stands in a file.
const madeToken = (kind: 'xoxb' | 'xapp'): string => `${kind}-${randomBytes(12).toString('hex')}`;

describe('Slack as emulate has it', () => {
  let emulator: Emulator;
  let setting: SlackUnderTest;

  beforeAll(async () => {
    const [wide, narrow] = [madeToken('xoxb'), madeToken('xoxb')];
    emulator = await createEmulator({
      service: 'slack',
      port: await freePort(),
      seed: {
        slack: {
          team: { name: 'Home', domain: 'home' },
          users: [
            // Of its own: emulate opens no conversation of somebody with themselves.
            { name: 'sallyport', real_name: 'Sallyport' },
            { name: 'alice', real_name: 'Alice', email: EMAIL },
          ],
          channels: [{ name: 'reviews' }],
          strict_scopes: true,
          tokens: [
            {
              token: wide,
              user: 'sallyport',
              type: 'bot',
              scopes: SCOPES,
            },
            { token: narrow, user: 'sallyport', type: 'bot', scopes: ['users:read'] },
          ],
        },
      },
    });
    const apiUrl = `${emulator.url}/api/`;
    const web = clientOf(apiUrl, wide);
    const { channels } = await web.conversations.list({});
    const { user } = await web.users.lookupByEmail({ email: EMAIL });
    setting = {
      web,
      channel: channels?.find(({ name }) => name === 'reviews')?.id ?? '',
      person: { id: user?.id ?? '', email: EMAIL },
      appToken: madeToken('xapp'),
      stranger: clientOf(apiUrl, madeToken('xoxb')),
      narrow: clientOf(apiUrl, narrow),
      trigger: async (viewId) => {
        const asked = { user_id: user?.id, ...(viewId === undefined ? {} : { view_id: viewId }) };
        const answer = await web.apiCall('views.generateTriggerId', asked);
        return (answer as { trigger_id?: string }).trigger_id ?? '';
      },
      keepPace: () => undefined,
    };
  });
  afterAll(() => emulator.close());

  describeSlack(() => setting, { differences });
});

describe('Slack as our stand-in has it', () => {
  let fake: FakeSlack;
  let narrow: FakeSlack;
  let setting: SlackUnderTest;

  beforeAll(async () => {
    fake = await FakeSlack.start();
    // A workspace has one bot token here, so what a narrow one may is asked in another workspace.
    narrow = await FakeSlack.start();
    narrow.scopes = ['users:read'];
    fake.addUser({ id: 'U0ALICE', name: 'alice', realName: 'Alice', email: EMAIL });
    fake.pace.burst = 1000;
    setting = {
      web: clientOf(fake.apiUrl, fake.botToken),
      channel: fake.channel,
      person: { id: 'U0ALICE', email: EMAIL },
      appToken: fake.appToken,
      stranger: clientOf(fake.apiUrl, madeToken('xoxb')),
      narrow: clientOf(narrow.apiUrl, narrow.botToken),
      trigger: () => Promise.resolve(fake.workspace.triggers.issue('U0ALICE')),
      keepPace: () => {
        fake.pace.burst = 1;
      },
    };
  });
  afterAll(async () => {
    await fake.close();
    await narrow.close();
  });

  describeSlack(() => setting, { differences: {} });
});
