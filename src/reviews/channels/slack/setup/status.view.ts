import { z } from 'zod';
import { SETTING_NAMES } from './sql/stored-settings.js';

const moment = z.string().describe('ISO 8601.');

const Setting = z.object({
  isSet: z.boolean(),
  from: z
    .enum(['environment', 'stored'])
    .nullable()
    .describe('What the environment sets is changed there alone; null when nothing sets it.'),
  variable: z.string().describe('The environment variable that sets it.'),
  kind: z.string().describe('What it is, for people; never its value.'),
  hint: z.string().nullable().describe('The last four characters of a stored secret.'),
  setBy: z.string().nullable(),
  setAt: moment.nullable(),
  problem: z.string().nullable().describe('Why what is stored is of no use.'),
});

const Trouble = z.object({
  since: moment.nullable(),
  fact: z.string(),
  remedy: z.string(),
});

const Channel = z.object({
  id: z.string(),
  name: z.string().nullable().describe('Null when Slack does not tell.'),
  isDefault: z.boolean(),
  queues: z.array(z.string()).describe('Those that have it as a channel of their own.'),
  isPrivate: z.boolean().nullable(),
  isMember: z.boolean().nullable(),
  isLookedAt: z.boolean().describe('False when Slack was not asked or did not tell how the channel is.'),
  trouble: Trouble.nullable(),
});

const Missing = z.object({
  what: z.string(),
  remedy: z.string(),
  isNeeded: z.boolean().describe('Without it reviews are not shown or not answered in Slack.'),
});

/** How Slack is, and what it needs to be whole. */
export const SlackStatus = z
  .object({
    isOn: z.boolean().describe('Reviews are shown in Slack: there is a bot token, a way in and a channel.'),
    transport: z
      .enum(['socket', 'http'])
      .nullable()
      .describe('How answers come in: Socket Mode where there is an app token, else signed HTTP.'),
    connected: z.boolean().nullable().describe('Of Socket Mode: whether some node is connected now.'),
    lastHelloAt: moment.nullable().describe('When Slack last greeted a connection.'),
    lastError: z.string().nullable(),
    token: z
      .enum(['works', 'refused', 'unreachable'])
      .nullable()
      .describe(
        'What Slack says of the bot token now; while it is not `works`, nothing is known of scopes and channels. Null without one.',
      ),
    team: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
    appId: z.string().nullable(),
    settings: z.object(
      Object.fromEntries(SETTING_NAMES.map((name) => [name, Setting])) as Record<
        (typeof SETTING_NAMES)[number],
        typeof Setting
      >,
    ),
    scopes: z.array(
      z.object({
        scope: z.string(),
        isGranted: z
          .boolean()
          .nullable()
          .describe('Null when Slack did not list them, or takes no token to ask with.'),
        isOptional: z.boolean(),
        without: z.string().describe('What does not work without it.'),
      }),
    ),
    channels: z.array(Channel),
    digests: z
      .object({ daily: z.string().nullable(), weekly: z.string().nullable(), timeZone: z.string() })
      .describe('When channels are told how their reviews stand; null where they are not.'),
    people: z.object({
      deciders: z.int().describe('People who may decide on reviews.'),
      bound: z.int().describe('Those of them who linked a Slack account.'),
    }),
    missing: z.array(Missing).describe('What keeps it from being whole; empty when nothing does.'),
  })
  .meta({ id: 'SlackStatus' });
export type SlackStatus = z.infer<typeof SlackStatus>;
