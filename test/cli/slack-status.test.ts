import { expect, it } from 'vitest';
import { statusLines, type SlackStatus } from '../../src/cli/slack/status.js';

const unset = {
  isSet: false,
  from: null,
  variable: '',
  kind: '',
  hint: null,
  setBy: null,
  setAt: null,
  problem: null,
} as const;
const scope = (name: string, isOptional: boolean, isGranted: boolean) => ({
  scope: name,
  isOptional,
  isGranted,
  without: '',
});
const channel = (id: string, isLookedAt: boolean) => ({
  id,
  name: null,
  isDefault: false,
  queues: [],
  isLookedAt,
  trouble: null,
});
const STATUS: SlackStatus = {
  isOn: true,
  transport: 'socket',
  connected: true,
  lastHelloAt: null,
  lastError: null,
  token: 'works',
  team: null,
  appId: null,
  settings: { botToken: unset, appToken: unset, signingSecret: unset, channel: unset },
  scopes: [
    scope('chat:write', false, true),
    scope('im:write', false, true),
    scope('channels:join', true, false),
  ],
  channels: [channel('C0SEEN', true), channel('C0UNSEEN', false)],
  digests: { daily: null, weekly: null, timeZone: 'UTC' },
  people: { deciders: 1, bound: 1 },
  missing: [],
};

it('the status of Slack counts optional scopes apart, and calls no channel working that Slack does not tell of', () => {
  const text = statusLines(STATUS).join('\n');
  expect(text).toMatch(/scopes +2 of 2 that are needed, 0 of 1 optional ones/);
  expect(text).toMatch(/C0SEEN .*works/);
  expect(text).toMatch(/C0UNSEEN .*Slack does not tell/);
  const untold = STATUS.scopes.map((one) => ({ ...one, isGranted: null }));
  expect(statusLines({ ...STATUS, scopes: untold }).join('\n')).not.toMatch(/scopes/);
});

it('the status says reviews to be shown only with a token that Slack takes', () => {
  const shown = (token: SlackStatus['token'], isOn = true): string | undefined =>
    statusLines({ ...STATUS, token, isOn })
      .find((line) => line.startsWith('shown in Slack'))
      ?.replace(/^shown in Slack +/, '');
  expect(shown('works')).toBe('yes');
  expect(shown('refused')).toBe('no: Slack refuses the bot token');
  expect(shown('unreachable')).toBe('not known: Slack does not answer');
  expect(shown(null, false)).toBe('no');
});
