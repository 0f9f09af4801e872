import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { facts } from '../facts.js';
import { table } from '../table.js';

export interface SlackSetting {
  readonly isSet: boolean;
  readonly from: 'environment' | 'stored' | null;
  readonly variable: string;
  readonly hint: string | null;
  readonly setBy: string | null;
  readonly setAt: string | null;
}

/** How Slack is, as the service tells it. */
export interface SlackStatus {
  readonly isOn: boolean;
  readonly transport: 'socket' | 'http' | null;
  readonly connected: boolean | null;
  readonly lastHelloAt: string | null;
  readonly lastError: string | null;
  readonly token: 'works' | 'refused' | 'unreachable' | null;
  readonly team: { readonly id: string; readonly name: string | null } | null;
  readonly appId: string | null;
  readonly settings: Readonly<Record<'botToken' | 'appToken' | 'signingSecret' | 'channel', SlackSetting>>;
  readonly scopes: readonly {
    readonly scope: string;
    readonly isGranted: boolean | null;
    readonly isOptional: boolean;
    readonly without: string;
  }[];
  readonly channels: readonly {
    readonly id: string;
    readonly name: string | null;
    readonly isDefault: boolean;
    readonly queues: readonly string[];
    readonly isLookedAt: boolean;
    readonly trouble: { readonly fact: string; readonly remedy: string } | null;
  }[];
  readonly digests: {
    readonly daily: string | null;
    readonly weekly: string | null;
    readonly timeZone: string;
  };
  readonly people: { readonly deciders: number; readonly bound: number };
  readonly missing: readonly { readonly what: string; readonly remedy: string; readonly isNeeded: boolean }[];
}

export const readStatus = (cli: Cli): Promise<SlackStatus> =>
  cli.client.call<SlackStatus>('GET', '/api/v1/slack');

const WAYS = { socket: 'Socket Mode', http: 'signed HTTP' } as const;

/** What is set, where reviews go, and what is missing. */
export function statusLines(status: SlackStatus): string[] {
  const { transport, connected, team, people } = status;
  return [
    ...facts([
      ['shown in Slack', shownText(status)],
      ['workspace', team === null ? undefined : `${team.name ?? ''} (${team.id})`.trim()],
      ['app', status.appId],
      ['answers by', transport === null ? undefined : WAYS[transport]],
      ['connected', connected === null ? undefined : connected ? 'yes' : 'no'],
      ['last greeting', status.lastHelloAt],
      ['last trouble', connected === true ? undefined : status.lastError],
      ['bot token', settingText(status.settings.botToken)],
      ['app token', settingText(status.settings.appToken)],
      ['signing secret', settingText(status.settings.signingSecret)],
      ['scopes', scopesText(status.scopes)],
      ['digests', digestText(status.digests)],
      ['people', `${people.bound} of ${people.deciders} who may decide have linked an account`],
    ]),
    ...channelLines(status),
    ...missingLines(status),
  ];
}

function shownText({ isOn, token }: SlackStatus): string {
  if (!isOn) return 'no';
  if (token === 'refused') return 'no: Slack refuses the bot token';
  return token === 'unreachable' ? 'not known: Slack does not answer' : 'yes';
}

/** The optional ones apart: without them nothing is missing. */
function scopesText(scopes: SlackStatus['scopes']): string | undefined {
  if (scopes.every(({ isGranted }) => isGranted === null)) return undefined;
  const counted = (isOptional: boolean): string => {
    const those = scopes.filter((scope) => scope.isOptional === isOptional);
    return `${those.filter(({ isGranted }) => isGranted === true).length} of ${those.length}`;
  };
  return `${counted(false)} that are needed, ${counted(true)} optional ones`;
}

function digestText({ daily, weekly, timeZone }: SlackStatus['digests']): string {
  const times = [daily, weekly].filter((time) => time !== null);
  return times.length === 0 ? 'off' : `${times.join(' and ')} (${timeZone})`;
}

function settingText({ isSet, from, variable, hint, setBy, setAt }: SlackSetting): string | undefined {
  if (!isSet) return undefined;
  if (from === 'environment') return `from the environment (${variable})`;
  return `${hint === null ? 'stored' : `…${hint}`}, set by ${setBy ?? 'somebody'} at ${setAt ?? 'some time'}`;
}

function channelLines({ channels }: SlackStatus): string[] {
  if (channels.length === 0) return [];
  const rows = channels.map((one) => [
    one.id,
    one.name,
    [...(one.isDefault ? ['(default)'] : []), ...one.queues].join(', '),
    one.trouble === null
      ? one.isLookedAt
        ? 'works'
        : 'Slack does not tell'
      : `${one.trouble.fact}: ${one.trouble.remedy}`,
  ]);
  return ['', ...table(['CHANNEL', 'NAME', 'QUEUES', 'STATE'], rows)];
}

/** What is missing, each with its remedy below. */
export function missingLines({ missing }: Pick<SlackStatus, 'missing'>): string[] {
  if (missing.length === 0) return ['', 'Nothing is missing.'];
  return [
    '',
    ...missing.flatMap(({ what, remedy, isNeeded }) => [
      `${isNeeded ? 'MISSING' : 'note   '}  ${visible(what, 500)}`,
      `         > ${visible(remedy, 500)}`,
    ]),
  ];
}
