import { escapeHtml } from '../../../../src/outbound/safe-text.js';
import { kindOf, type FakeChannel } from '../channels.js';
import { isWhisper, type FakeMessage, type FakeWhisper } from '../messages.js';
import type { UserSeed } from '../people.js';
import type { Json } from '../refusal.js';
import type { View } from '../views.js';
import type { Workspace } from '../workspace.js';
import { blocksHtml, type Setting } from './blocks-html.js';
import { dateText } from './date-text.js';
import { mrkdwnHtml } from './text-html.js';

// The newest; a channel of a long demo holds more than anybody scrolls through.
const SHOWN = 100;

/** What one person has before them. */
export interface Screen {
  readonly as: string;
  readonly place: string;
  readonly title: string;
  readonly side: string;
  readonly main: string;
  readonly modal: { readonly id: string; readonly hash: string; readonly html: string } | null;
  readonly canWrite: boolean;
}

/** The place that is the app's Home tab and no channel. */
export const HOME = 'home';

/** Draws the page for somebody at a place; who or what is unknown becomes the first there is. */
export function drawScreen(workspace: Workspace, wanted: { as: string; place: string }): Screen {
  const people = [...workspace.users.values()].filter((user) => user.deleted !== true && user.isBot !== true);
  const me = people.find(({ id }) => id === wanted.as) ?? people[0];
  const channels = [...workspace.channels.values()].filter((channel) => isVisible(channel, me));
  const channel = channels.find(({ id }) => id === wanted.place);
  const place = wanted.place === HOME ? HOME : ((channel ?? channels[0])?.id ?? HOME);
  const setting = settingOf(workspace, people);
  const shown = workspace.channels.get(place);
  const view = me === undefined ? undefined : workspace.views.top.get(me.id);
  return {
    as: me?.id ?? '',
    place,
    title: shown === undefined ? 'Sallyport' : nameOf(shown),
    side: sideHtml(people, me, channels, place),
    main: shown === undefined ? homeHtml(workspace, me, setting) : channelHtml(workspace, shown, me, setting),
    modal: view === undefined ? null : modalOf(view, setting),
    canWrite: shown !== undefined && !shown.archived,
  };
}

const isVisible = (channel: FakeChannel, me: UserSeed | undefined): boolean =>
  channel.directWith === undefined
    ? kindOf(channel) === 'channels' || (me !== undefined && channel.members.has(me.id))
    : channel.directWith === me?.id;

const nameOf = (channel: FakeChannel): string =>
  channel.directWith === undefined ? `#${channel.name}` : 'Messages with Sallyport';

const fullName = (user: UserSeed): string => user.realName ?? user.name;

function settingOf(workspace: Workspace, people: readonly UserSeed[]): Setting {
  return {
    people: people.map((user) => ({ id: user.id, name: fullName(user) })),
    user: (id) => {
      const user = workspace.users.get(id);
      return user === undefined ? id : fullName(user);
    },
    channel: (id) => workspace.channels.get(id)?.name ?? id,
  };
}

function sideHtml(
  people: readonly UserSeed[],
  me: UserSeed | undefined,
  channels: readonly FakeChannel[],
  place: string,
): string {
  const options = people
    .map(
      (user) =>
        `<option value="${escapeHtml(user.id)}"${user === me ? ' selected' : ''}>${escapeHtml(fullName(user))}${labelOf(user)}</option>`,
    )
    .join('');
  const entry = (id: string, label: string): string =>
    `<li><button type="button" class="place" data-place="${escapeHtml(id)}"${id === place ? ' aria-current="page"' : ''}>${escapeHtml(label)}</button></li>`;
  const list = (title: string, entries: string): string => `<h2>${title}</h2><ul>${entries}</ul>`;
  const open = channels.filter(({ directWith }) => directWith === undefined);
  const direct = channels.filter(({ directWith }) => directWith !== undefined);
  return `<label for="as">You are</label><select id="as">${options}</select>
${list('Channels', open.map((channel) => entry(channel.id, `# ${channel.name}${channel.isPrivate ? ' (private)' : ''}${channel.archived ? ' (archived)' : ''}`)).join(''))}
${list('App', entry(HOME, 'Sallyport: home') + direct.map((channel) => entry(channel.id, 'Sallyport: messages')).join(''))}`;
}

const labelOf = (user: UserSeed): string =>
  user.isRestricted === true || user.isUltraRestricted === true
    ? ' (guest)'
    : user.isStranger === true
      ? ' (other workspace)'
      : '';

function channelHtml(
  workspace: Workspace,
  channel: FakeChannel,
  me: UserSeed | undefined,
  setting: Setting,
): string {
  const here = workspace.messages.filter((message) => message.channel === channel.id);
  const whispers = workspace.whispers.filter(
    (whisper) => whisper.channel === channel.id && whisper.user === me?.id,
  );
  const all = [...here, ...whispers].sort(byTime);
  const known = new Set(all.map(({ ts }) => ts));
  // Answers whose root was deleted stand for themselves.
  const roots = all.filter(({ threadTs }) => threadTs === undefined || !known.has(threadTs)).slice(-SHOWN);
  if (roots.length === 0) return '<p class="muted">Nothing was said here yet.</p>';
  return roots
    .map((root) => {
      const thread = isWhisper(root) ? [] : all.filter(({ threadTs }) => threadTs === root.ts);
      const replies = thread.map((reply) => messageHtml(workspace, reply, setting)).join('');
      return (
        messageHtml(workspace, root, setting) + (replies === '' ? '' : `<div class="thread">${replies}</div>`)
      );
    })
    .join('');
}

const byTime = (one: { ts: string }, other: { ts: string }): number => Number(one.ts) - Number(other.ts);

function messageHtml(workspace: Workspace, message: FakeMessage | FakeWhisper, setting: Setting): string {
  const isPrivate = isWhisper(message);
  const isApp = isPrivate || message.botId !== undefined;
  const name = isApp ? 'Sallyport' : setting.user(message.user ?? '');
  const edited =
    !isPrivate && message.edited !== undefined && !isApp ? ' <span class="muted">(edited)</span>' : '';
  const files = isPrivate ? [] : (message.files ?? []);
  const body =
    message.blocks.length > 0
      ? blocksHtml(message.blocks, setting)
      : `<p>${mrkdwnHtml(message.text, setting)}</p>`;
  const reply = isPrivate
    ? ''
    : `<button type="button" class="quiet" data-reply="${escapeHtml(message.threadTs ?? message.ts)}">Reply in thread</button>`;
  return `<article class="message${isPrivate ? ' whisper' : ''}" id="m${escapeHtml(message.ts)}" data-ts="${escapeHtml(message.ts)}">
<div class="avatar ${isApp ? 'app' : `tone${toneOf(name)}`}" aria-hidden="true">${escapeHtml(initials(name))}</div>
<div class="said"><header><strong>${escapeHtml(name)}</strong>${isApp ? ' <span class="tag">app</span>' : ''}
<time>${escapeHtml(dateText(Math.floor(Number(message.ts)), '{time}', ''))}</time>${edited}${isPrivate ? ' <span class="only">Only visible to you</span>' : ''}</header>
${body}${files.map((id) => fileHtml(workspace, id)).join('')}${reply}</div></article>`;
}

function fileHtml(workspace: Workspace, id: string): string {
  const file = workspace.files.get(id);
  return file === undefined
    ? ''
    : `<p class="file">${escapeHtml(file.title)} <span class="muted">${file.length} bytes</span></p>`;
}

const initials = (name: string): string =>
  name
    .split(/\s+/)
    .map((word) => Array.from(word)[0] ?? '')
    .slice(0, 2)
    .join('')
    .toUpperCase();

const toneOf = (name: string): number =>
  Array.from(name).reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0) % 6;

function homeHtml(workspace: Workspace, me: UserSeed | undefined, setting: Setting): string {
  const home = me === undefined ? undefined : workspace.views.homes.get(me.id);
  if (home === undefined) return '<p class="muted">The app has shown nothing here yet.</p>';
  return `<div class="home">${blocksHtml(home['blocks'] as Json[], { ...setting, values: valuesOf(home) })}</div>`;
}

const valuesOf = (view: View): Record<string, Json> =>
  (view['state'] as { values?: Record<string, Json> } | undefined)?.values ?? {};

function modalOf(view: View, setting: Setting): NonNullable<Screen['modal']> {
  const words = (field: string): string => (view[field] as { text?: string } | undefined)?.text ?? '';
  const submit =
    words('submit') === ''
      ? ''
      : `<button type="submit" class="act primary">${escapeHtml(words('submit'))}</button>`;
  const close = words('close') === '' ? 'Close' : words('close');
  return {
    id: String(view['id']),
    hash: String(view['hash']),
    html: `<form method="dialog"><h2>${escapeHtml(words('title'))}</h2>
<div class="fieldset">${blocksHtml(view['blocks'] as Json[], { ...setting, values: valuesOf(view) })}</div>
<p class="problem" data-problem="" role="alert" hidden></p>
<footer><button type="button" class="act plain" data-close>${escapeHtml(close)}</button>${submit}</footer></form>`,
  };
}
