import type { WebClient } from '@slack/web-api';
import { expect } from 'vitest';
import type { Review } from '../../src/reviews/review.js';
import { decideView } from '../../src/reviews/channels/slack/answers/decide/decide-view.js';
import { sayView } from '../../src/reviews/channels/slack/answers/view.js';
import { HOME_FILTERS } from '../../src/reviews/channels/slack/home/home-filter.js';
import { homeView } from '../../src/reviews/channels/slack/home/home-view.js';
import { reviewMessage } from '../../src/reviews/channels/slack/review-message.js';
import { subjectDigest } from '../../src/reviews/subject-digest.js';
import { exampleSubject, UNTOUCHED } from '../reviews/stage.js';
import { post, refusal } from '../support/slack/sample-blocks.js';
import { declareWith, type Differences } from './behaviour.js';

/*
 * What the service asks of Slack, with the messages and forms that it really sends. Run against our stand-in and
 * against one that others made: where both agree, the tests of the service rest on more than our own reading.
 */

/** A workspace for the suite. */
export interface SlackUnderTest {
  readonly web: WebClient;
  readonly channel: string;
  readonly person: { readonly id: string; readonly email: string };
  /** Of Socket Mode. */
  readonly appToken: string;
  /** A token that nobody was given. */
  readonly stranger: WebClient;
  /** A token that may only look for people. */
  readonly narrow: WebClient;
  /** As if the person had just clicked. @param viewId of the view in which they did. */
  trigger(viewId?: string): Promise<string>;
  /** Ends a quiet time in which messages come as fast as they like. */
  keepPace(): void;
}

export type SlackBehaviour =
  | 'who the token belongs to is said'
  | 'the message of a review comes back with its metadata'
  | 'a message is changed when its review is decided'
  | 'a message that is changed without blocks keeps those it had'
  | 'a message is deleted once, and is gone afterwards'
  | 'answers stay in the thread of their message'
  | 'a thread that is not there is an error'
  | 'an answer to a message that is gone stands in the channel'
  | 'a channel that is not there is an error'
  | 'a message needs words'
  | 'metadata is given to those who ask for it, and to nobody else'
  | 'the form of a decision opens with a trigger, once'
  | 'a trigger that was never given out opens nothing'
  | 'a view is put above another, and knows what is below it'
  | 'a view is changed by its id, unless its hash is old'
  | 'a Home tab is published, unless its hash is old'
  | 'a file comes in the three steps of the SDK, into a thread'
  | 'a message to a person opens a conversation that has an id of its own'
  | 'a whisper goes to one person in a channel'
  | 'a whisper to somebody who is not in the channel is refused'
  | 'a person is found by address, and nobody by a wrong one'
  | 'a missing scope is named, and the granted ones beside it'
  | 'a token that nobody was given is refused'
  | 'blocks above the limits are refused'
  | 'a message whose texts are too long together is refused'
  | 'a second message within a second has to wait, and is told how long'
  | 'Socket Mode has an address';

const review = (decided: boolean): Review => {
  const at = Date.UTC(2026, 10, 23);
  const by = { id: 'alice', name: 'Alice' };
  return {
    id: '0d2f5f0e-0000-4000-8000-000000000001',
    taskId: 't',
    workflowId: 'w',
    title: 'Release or delete?',
    outcomes: ['release', 'delete'],
    subject: exampleSubject('<!channel> & <https://evil.example|x>.zip'),
    subjectDigest: subjectDigest(exampleSubject()),
    state: decided ? 'COMPLETED' : 'OPEN',
    version: 1,
    ...UNTOUCHED,
    createdAt: at,
    updatedAt: at,
    decision: decided
      ? { outcome: 'release', by, at, via: 'slack', method: 'slack', reason: 'our own test file' }
      : undefined,
  };
};

const PAGE = 'https://sallyport.example/reviews/1';
const metadata = { event_type: 'sallyport_review', event_payload: { review_id: review(false).id } };
const message = () => ({ ...reviewMessage(review(false), PAGE, false), metadata });
const form = () => decideView(review(false), 'release', '{"reviewId":"1"}', { dryRun: false, pageUrl: PAGE });
const home = () =>
  homeView({
    filter: HOME_FILTERS[0],
    reviews: [review(false)],
    hasMore: false,
    counts: { waiting: 1, unclaimed: 1, breached: 0 },
    troubles: [],
    inboxUrl: PAGE,
    pageOf: () => PAGE,
  });

/** The types of blocks, which is what both stand-ins keep of them. */
const typesOf = (blocks: unknown): unknown[] =>
  (blocks as { type: string }[] | undefined)?.map(({ type }) => type) ?? [];

export function describeSlack(
  under: () => SlackUnderTest,
  { differences }: { differences: Differences<SlackBehaviour> },
): void {
  const it = declareWith(differences);
  const send = (more: object = {}) => post(under().web, { channel: under().channel, ...message(), ...more });
  const latest = async (more: object = {}) =>
    (await under().web.conversations.history({ channel: under().channel, limit: 5, ...more })).messages ?? [];

  it('who the token belongs to is said', async () => {
    const answer = await under().web.auth.test();
    expect(answer).toMatchObject({ ok: true, team: 'Home' });
    expect(answer.team_id).toMatch(/^T\w+$/);
    expect(answer.user_id).toMatch(/^U\w+$/);
  });

  it('the message of a review comes back with its metadata', async () => {
    const sent = await send();
    expect(sent).toMatchObject({ ok: true, channel: under().channel });
    expect(sent.ts).toMatch(/^\d+\.\d{6}$/);
    const [found] = await latest({ include_all_metadata: true });
    expect(found).toMatchObject({ ts: sent.ts, text: message().text, metadata });
    expect(typesOf(found?.blocks)).toEqual(typesOf(message().blocks));
  });

  it('a message is changed when its review is decided', async () => {
    const { ts = '' } = await send();
    const decided = reviewMessage(review(true), PAGE, false);
    const changed = await under().web.chat.update({ channel: under().channel, ts, ...decided });
    expect(changed).toMatchObject({ ok: true, channel: under().channel, ts, text: decided.text });
    const [found] = await latest({ include_all_metadata: true });
    expect(found).toMatchObject({ ts, text: decided.text, metadata });
    expect(found?.edited?.ts).toBeDefined();
    expect(typesOf(found?.blocks)).toEqual(typesOf(decided.blocks));
  });

  it('a message that is changed without blocks keeps those it had', async () => {
    const { ts = '' } = await send();
    await under().web.chat.update({ channel: under().channel, ts, text: 'other words' });
    const [found] = await latest();
    expect(typesOf(found?.blocks)).toEqual(typesOf(message().blocks));
  });

  it('a message is deleted once, and is gone afterwards', async () => {
    const { ts = '' } = await send();
    const { web, channel } = under();
    expect(await web.chat.delete({ channel, ts })).toMatchObject({ ok: true, channel, ts });
    expect(await refusal(web.chat.delete({ channel, ts }))).toBe('message_not_found');
    expect(await refusal(web.chat.update({ channel, ts, text: 'x' }))).toBe('message_not_found');
  });

  it('answers stay in the thread of their message', async () => {
    const { ts = '' } = await send();
    const answer = await send({ text: 'a reminder', blocks: undefined, metadata: undefined, thread_ts: ts });
    expect(answer.message).toMatchObject({ thread_ts: ts, text: 'a reminder' });
    const { messages } = await under().web.conversations.replies({ channel: under().channel, ts });
    expect(messages?.map((one) => one.ts)).toEqual([ts, answer.ts]);
    expect(messages?.[0]?.reply_count).toBe(1);
    expect((await latest()).map((one) => one.ts)).not.toContain(answer.ts);
  });

  it('a thread that is not there is an error', async () => {
    const { web, channel } = under();
    expect(await refusal(web.conversations.replies({ channel, ts: '1.000002' }))).toBe('thread_not_found');
  });

  it('an answer to a message that is gone stands in the channel', async () => {
    const { web, channel } = under();
    const { ts = '' } = await send();
    await web.chat.delete({ channel, ts });
    const answer = await send({ thread_ts: ts });
    expect(answer.message).not.toHaveProperty('thread_ts');
    expect((await latest())[0]?.ts).toBe(answer.ts);
  });

  it('a channel that is not there is an error', async () => {
    expect(await refusal(send({ channel: 'C0NOWHERE' }))).toBe('channel_not_found');
  });

  it('a message needs words', async () => {
    expect(await refusal(post(under().web, { channel: under().channel, text: '' }))).toBe('no_text');
  });

  it('metadata is given to those who ask for it, and to nobody else', async () => {
    await send();
    expect((await latest())[0]).not.toHaveProperty('metadata');
  });

  it('the form of a decision opens with a trigger, once', async () => {
    const { web } = under();
    const trigger_id = await under().trigger();
    const { view } = await web.views.open({ trigger_id, view: form() });
    expect(view).toMatchObject({
      type: 'modal',
      callback_id: 'review.decide',
      private_metadata: '{"reviewId":"1"}',
      previous_view_id: null,
      external_id: '',
      notify_on_close: false,
      state: { values: {} },
    });
    expect(view?.root_view_id).toBe(view?.id);
    expect(view?.hash).toBeDefined();
    expect(await refusal(web.views.open({ trigger_id, view: form() }))).toBe('exchanged_trigger_id');
  });

  it('a trigger that was never given out opens nothing', async () => {
    const view = form();
    expect(await refusal(under().web.views.open({ trigger_id: 'nobody', view }))).toBe('invalid_trigger_id');
  });

  it('a view is put above another, and knows what is below it', async () => {
    const { web } = under();
    const below = await web.views.open({ trigger_id: await under().trigger(), view: form() });
    const said = sayView('Not decided', 'Somebody else did.');
    const above = await web.views.push({ trigger_id: await under().trigger(below.view?.id), view: said });
    expect(above.view).toMatchObject({ root_view_id: below.view?.id, previous_view_id: below.view?.id });
    expect(above.view?.submit).toBeNull();
  });

  it('a view is changed by its id, unless its hash is old', async () => {
    const { web } = under();
    const opened = await web.views.open({ trigger_id: await under().trigger(), view: form() });
    const view_id = opened.view?.id ?? '';
    const view = sayView('Not decided', 'Somebody else did.');
    const changed = await web.views.update({ view_id, view, hash: opened.view?.hash ?? '' });
    expect(changed.view).toMatchObject({ id: view_id, callback_id: view.callback_id });
    expect(changed.view?.hash).not.toBe(opened.view?.hash);
    const again = web.views.update({ view_id, view, hash: opened.view?.hash ?? '' });
    expect(await refusal(again)).toBe('hash_conflict');
    expect(await refusal(web.views.update({ view_id: 'V0NOTHING', view }))).toBe('not_found');
  });

  it('a Home tab is published, unless its hash is old', async () => {
    const { web, person } = under();
    const first = await web.views.publish({ user_id: person.id, view: home() });
    expect(first.view).toMatchObject({ type: 'home', callback_id: '' });
    const hash = first.view?.hash ?? '';
    const second = await web.views.publish({ user_id: person.id, view: home(), hash });
    expect(second.view?.id).toBe(first.view?.id);
    expect(await refusal(web.views.publish({ user_id: person.id, view: home(), hash }))).toBe(
      'hash_conflict',
    );
  });

  it('a file comes in the three steps of the SDK, into a thread', async () => {
    const { web, channel } = under();
    const { ts = '' } = await send();
    const file = Buffer.from('%PDF-1.7');
    const upload = {
      channel_id: channel,
      thread_ts: ts,
      initial_comment: 'the week',
      filename: 'week.pdf',
      file,
    };
    const answer = (await web.files.uploadV2(upload)) as { files?: { files?: { title?: string }[] }[] };
    expect(answer.files?.[0]?.files?.[0]).toMatchObject({ name: 'week.pdf', size: file.length });
    const { messages } = await web.conversations.replies({ channel, ts });
    expect(messages?.at(-1)).toMatchObject({ text: 'the week', thread_ts: ts });
    expect(messages?.at(-1)?.files).toHaveLength(1);
  });

  it('a message to a person opens a conversation that has an id of its own', async () => {
    const { web, person } = under();
    const sent = await send({ channel: person.id });
    expect(sent.channel).toMatch(/^D\w+$/);
    expect((await web.conversations.open({ users: person.id })).channel?.id).toBe(sent.channel);
    const other = { channel: sent.channel ?? '', ts: sent.ts ?? '', text: 'other words' };
    expect((await web.chat.update(other)).ok).toBe(true);
    expect(await refusal(web.conversations.open({ users: 'U0NOBODY' }))).toBe('user_not_found');
  });

  it('a whisper goes to one person in a channel', async () => {
    const { web, channel, person } = under();
    const whisper = { channel, user: person.id, text: 'Link your account first.' };
    expect((await web.chat.postEphemeral(whisper)).message_ts).toMatch(/^\d+\.\d{6}$/);
  });

  it('a whisper to somebody who is not in the channel is refused', async () => {
    const { web, channel } = under();
    const whisper = { channel, user: 'U0NOBODY', text: 'Link your account first.' };
    expect(await refusal(web.chat.postEphemeral(whisper))).toBe('user_not_in_channel');
  });

  it('a person is found by address, and nobody by a wrong one', async () => {
    const { web, person } = under();
    const { user } = await web.users.lookupByEmail({ email: person.email });
    expect(user).toMatchObject({
      id: person.id,
      deleted: false,
      is_bot: false,
      profile: { email: person.email },
    });
    const info = await web.users.info({ user: person.id });
    expect(info.user).toMatchObject({ id: person.id, name: 'alice', real_name: 'Alice' });
    expect(await refusal(web.users.lookupByEmail({ email: 'no@example.org' }))).toBe('users_not_found');
    expect(await refusal(web.users.info({ user: 'U0NOBODY' }))).toBe('user_not_found');
  });

  it('a missing scope is named, and the granted ones beside it', async () => {
    const { narrow, channel } = under();
    const error: unknown = await post(narrow, { channel, text: 'x' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      data: { ok: false, error: 'missing_scope', needed: 'chat:write', provided: 'users:read' },
    });
  });

  it('a token that nobody was given is refused', async () => {
    expect(await refusal(under().stranger.auth.test())).toBe('invalid_auth');
  });

  it('blocks above the limits are refused', async () => {
    const divider = { type: 'divider' };
    expect(await refusal(send({ blocks: Array.from({ length: 51 }, () => divider) }))).toBe('invalid_blocks');
  });

  it('a message whose texts are too long together is refused', async () => {
    const section = { type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(2900) } };
    expect(await refusal(send({ blocks: Array.from({ length: 5 }, () => section) }))).toBe(
      'msg_blocks_too_long',
    );
  });

  it('a second message within a second has to wait, and is told how long', async () => {
    under().keepPace();
    const both = [await refusal(send()), await refusal(send()), await refusal(send())];
    expect(both.at(-1)).toBe('retry after 1');
  });

  it('Socket Mode has an address', async () => {
    const answer = await under().web.apps.connections.open({ token: under().appToken });
    expect(answer.url).toMatch(/^wss?:\/\//);
  });
}
