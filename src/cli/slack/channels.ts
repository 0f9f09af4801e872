import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { query } from '../values.js';

/** A channel that the app sees. */
export interface SlackChannel {
  readonly id: string;
  readonly name: string | null;
  readonly isPrivate: boolean;
  readonly isMember: boolean;
  readonly trouble: { readonly fact: string; readonly remedy: string } | null;
}

export interface ChannelPage {
  readonly items: readonly SlackChannel[];
  readonly nextCursor: string | null;
}

export const channelsPath = (asked: { cursor?: string | undefined; name?: string | undefined }): string =>
  query('/api/v1/slack/channels', asked);

/** What was typed is no channel: whoever typed it may be asked again. */
export class NotMeant extends CommandError {}

const isChannelId = (text: string): boolean => /^[CG][A-Z0-9]{2,29}$/.test(text);

// Each page of the service looks through two thousand channels.
const MAX_PAGES = 10;

/** The id of a channel that is meant by its id or its name, with or without `#`. @throws CommandError */
export async function channelOf(cli: Cli, wanted: string): Promise<string> {
  if (isChannelId(wanted)) return wanted;
  const name = wanted.replace(/^#/, '').toLowerCase();
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await cli.client.call<ChannelPage>('GET', channelsPath({ name, cursor }));
    const found = page.items.find((channel) => channel.name?.toLowerCase() === name);
    if (found !== undefined) return found.id;
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  throw new NotMeant(
    `${wanted}: the app sees no channel of this name. A private one needs /invite first; or give its id (C…).`,
  );
}
