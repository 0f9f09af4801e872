import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { Refused } from '../client.js';
import { CommandError } from '../command-error.js';
import { table } from '../table.js';
import { waitFor } from '../waiting.js';
import { channelOf, channelsPath, NotMeant, type ChannelPage } from './channels.js';
import { MOST_TRIES } from './secrets.js';
import { readStatus, type SlackStatus } from './status.js';
import { done, todo } from './step.js';

const INVITE_SECONDS = 600;

interface Probe {
  readonly posted: boolean;
  readonly reason: string | null;
  readonly remedy: string | null;
}

/** Chooses the default channel, gets the app into it, and proves with a message that it takes messages. @returns its id. */
export async function channelStep(
  cli: Cli,
  status: SlackStatus,
  wanted: string | undefined,
): Promise<string> {
  const set = status.channels.find(({ isDefault }) => isDefault);
  const channel = wanted === undefined ? (set?.id ?? (await chosen(cli))) : await channelOf(cli, wanted);
  if (channel === set?.id) done(cli, `reviews go to ${shownAs(set)}, as set before`);
  else {
    await cli.client.call('PUT', '/api/v1/slack', { channel });
    done(
      cli,
      `reviews go to ${shownAs(channelIn(await readStatus(cli), channel) ?? { id: channel, name: null })}`,
    );
  }
  await getIn(cli, channel);
  await probe(cli, channel);
  return channel;
}

async function chosen(cli: Cli): Promise<string> {
  const { items, nextCursor } = await cli.client.call<ChannelPage>('GET', channelsPath({}));
  if (cli.ask === undefined)
    throw new CommandError('Nobody can be asked here. Name the channel: --channel #NAME or its id.');
  const shown = items.slice(0, 30);
  for (const line of table(
    ['NO', 'CHANNEL', 'KIND', 'APP IS IN'],
    shown.map(({ name, id, isPrivate, isMember }, index) => [
      String(index + 1),
      name ?? id,
      isPrivate ? 'private' : 'public',
      isMember ? 'yes' : 'no',
    ]),
  ))
    cli.note(line);
  if (items.length > shown.length || nextCursor !== null) cli.note('there are more: give the name of one');
  for (let tries = 1; ; tries++) {
    const answer = (await cli.ask('Which channel? Its number, #name or id: ')).trim();
    try {
      return await meant(cli, answer, shown);
    } catch (error) {
      if (!(error instanceof NotMeant) || tries === MOST_TRIES) throw error;
      cli.note(error.message);
    }
  }
}

/** @throws NotMeant for what is no channel. */
async function meant(cli: Cli, answer: string, shown: ChannelPage['items']): Promise<string> {
  if (answer === '') throw new NotMeant('No channel was chosen. Type its number, its name or its id.');
  if (!/^\d{1,2}$/.test(answer)) return channelOf(cli, answer);
  const numbered = shown[Number(answer) - 1];
  if (numbered === undefined)
    throw new NotMeant(`There is no number ${answer} in the list. Type one that is.`);
  return numbered.id;
}

/** Joins where the app may; elsewhere somebody invites it, and is waited for. */
async function getIn(cli: Cli, channel: string): Promise<void> {
  if (troubleOf(await readStatus(cli), channel) === undefined) return;
  try {
    await cli.client.call('POST', '/api/v1/slack/join', { channel });
    done(cli, 'the app joined the channel');
    return;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    todo(cli, 'type /invite and the name of the app in the channel; this goes on by itself then');
  }
  await waitFor(
    cli,
    async () => (troubleOf(await readStatus(cli), channel) === undefined ? true : undefined),
    { timeoutSeconds: INVITE_SECONDS, what: 'app in the channel' },
  );
  done(cli, 'the app is in the channel');
}

async function probe(cli: Cli, channel: string): Promise<void> {
  const { posted, reason, remedy } = await cli.client.call<Probe>('POST', '/api/v1/slack/probe', { channel });
  if (!posted)
    throw new CommandError(
      `Nothing can be posted there (${visible(reason ?? 'no reason', 100)}). ${visible(remedy ?? '', 300)}`,
    );
  done(cli, 'a test message was posted there and taken away again');
}

const channelIn = ({ channels }: SlackStatus, id: string) => channels.find((one) => one.id === id);
const troubleOf = (status: SlackStatus, id: string) => channelIn(status, id)?.trouble ?? undefined;
const shownAs = ({ id, name }: { readonly id: string; readonly name: string | null }): string =>
  name === null ? id : `#${visible(name, 80)} (${id})`;
