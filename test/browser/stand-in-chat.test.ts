import { SocketModeClient } from '@slack/socket-mode';
import { WebClient } from '@slack/web-api';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { FakeSlack } from '../support/slack/fake-slack.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { watchedPage } from './visit.js';

const plain = (text: string) => ({ type: 'plain_text', text });
const button = (id: string, label: string, more: object = {}) => ({
  type: 'button',
  action_id: id,
  text: plain(label),
  value: `${id}-value`,
  ...more,
});
const input = (id: string, label: string, element: object, more: object = {}) => ({
  type: 'input',
  block_id: id,
  label: plain(label),
  element: { action_id: 'x', ...element },
  ...more,
});
const option = (value: string) => ({ value, text: plain(value) });

const FORM = {
  type: 'modal',
  callback_id: 'reject',
  title: plain('Reject the object'),
  submit: plain('Reject'),
  close: plain('Cancel'),
  blocks: [
    { type: 'section', text: { type: 'mrkdwn', text: '*payroll.zip* is deleted from the bucket.' } },
    input(
      'why',
      'Why?',
      { type: 'plain_text_input', multiline: true, min_length: 3 },
      { hint: plain('Kept in the audit trail.') },
    ),
    input('severity', 'How bad is it?', { type: 'static_select', options: ['low', 'high'].map(option) }),
    input(
      'tell',
      'Who is told?',
      { type: 'checkboxes', options: ['uploader', 'owner'].map(option) },
      { optional: true },
    ),
    input('by', 'Until when?', { type: 'datepicker' }, { optional: true }),
    input('due', 'Due', { type: 'datetimepicker', initial_date_time: 1_800_000_000 }),
    input('ask', 'Ask again', { type: 'datetimepicker' }, { optional: true }),
  ],
};

/** As a field of the browser shows it, which sits in the time zone of the test. */
function hourOf(seconds: number): string {
  const at = new Date(seconds * 1000);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const HOSTILE = '&lt;img src=x onerror=alert(1)&gt; &lt;!channel&gt;';

describe.skipIf(chromiumPath === undefined)('the page of the stand-in for Slack', () => {
  let fake: FakeSlack;
  let web: WebClient;
  let socket: SocketModeClient;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];
  const submitted: unknown[] = [];

  beforeAll(async () => {
    fake = await FakeSlack.start({
      state: {
        channels: [
          { id: 'C0REVIEWS', name: 'reviews' },
          { id: 'C0LEADS', name: 'leads', isPrivate: true },
        ],
        users: [
          { id: 'U0ALICE', name: 'alice', realName: 'Alice Weber' },
          { id: 'U0BOB', name: 'bob', realName: 'Bob Koenig', isRestricted: true },
        ],
      },
    });
    fake.pace.burst = 20;
    web = new WebClient(fake.botToken, { slackApiUrl: fake.apiUrl });
    socket = new SocketModeClient({ appToken: fake.appToken, clientOptions: { slackApiUrl: fake.apiUrl } });
    listen();
    await socket.start();
    browser = await launchChromium();
    page = await watchedPage(browser, faults);
  });
  afterAll(async () => {
    await browser.close();
    await socket.disconnect();
    await fake.close();
  });

  /** A service of a few lines: a button opens a form, and the form changes the message. */
  function listen(): void {
    socket.on('interactive', ({ ack, body }: Envelope) => void answer(ack, body));
    socket.on(
      'slash_commands',
      ({ ack, body }: Envelope) => void ack({ text: `You said *${String(body['text'])}*.` }),
    );
    socket.on('app_home_opened', ({ ack }: Envelope) => {
      void ack();
      void web.views.publish({
        user_id: 'U0ALICE',
        view: {
          type: 'home',
          blocks: [
            { type: 'header', text: plain('Yours') },
            { type: 'actions', elements: [button('take', 'Take it')] },
          ],
        } as never,
      });
    });
    socket.on('message', ({ ack }: Envelope) => void ack());
  }
  async function answer(ack: Envelope['ack'], body: Record<string, unknown>): Promise<void> {
    if (body['type'] === 'view_submission') {
      submitted.push((body['view'] as { state: { values: unknown } }).state.values);
      if (submitted.length === 1) return ack({ response_action: 'errors', errors: { why: 'Say more.' } });
      await ack();
      const ts = fake.messages[0]?.ts ?? '';
      const text = 'Rejected by Alice Weber';
      await web.chat.update({
        channel: fake.channel,
        ts,
        text,
        blocks: [{ type: 'section', text: { type: 'mrkdwn', text: `*${text}*` } }],
      });
      return;
    }
    await ack();
    const [action] = body['actions'] as { action_id: string }[];
    if (action?.action_id === 'reject')
      await web.views.open({ trigger_id: String(body['trigger_id']), view: FORM as never });
    if (action?.action_id === 'take')
      await web.chat.postEphemeral({
        channel: fake.channel,
        user: 'U0ALICE',
        text: `It is *yours* now: ${HOSTILE}`,
      });
  }

  it('shows what was posted: blocks, moments, hostile names as names, and no more than one person may see', async () => {
    const message = {
      channel: fake.channel,
      text: 'A decision is needed',
      blocks: [
        { type: 'header', text: plain('Release or delete?') },
        {
          type: 'section',
          fields: [
            '*Object*\n`uploads/payroll.zip`',
            '*Verdict*\ninfected',
            '*Due*\n<!date^1800000000^{date_num} {time}|then>',
            `*Name*\n\`${HOSTILE}\``,
          ].map((text) => ({ type: 'mrkdwn', text })),
        },
        {
          type: 'rich_text',
          elements: [
            {
              type: 'rich_text_list',
              style: 'bullet',
              elements: ['Eicar-Test in `a.com`', 'AWS key in `b.env`'].map((text) => ({
                type: 'rich_text_section',
                elements: [{ type: 'text', text }],
              })),
            },
          ],
        },
        { type: 'divider' },
        { type: 'context', elements: [{ type: 'mrkdwn', text: '> *Approve*: it stays where it is' }] },
        {
          type: 'actions',
          elements: [
            button('approve', 'Approve', { style: 'primary' }),
            button('reject', 'Reject', { style: 'danger' }),
            button('take', 'Take it'),
            button('open', 'Open', { url: 'https://sallyport.example/reviews/1' }),
          ],
        },
      ] as never,
    };
    await web.apiCall('chat.postMessage', message);
    await page.goto(fake.page());
    await page.getByRole('heading', { name: 'Release or delete?' }).waitFor();
    expect(await page.title()).toBe('#reviews · Stand-in chat');
    expect(await page.getByText('<img src=x onerror=alert(1)> <!channel>').count()).toBe(1);
    expect(await page.getByText(/2027-01-15 \d\d:\d\d/).count()).toBe(1);
    expect(await page.getByRole('listitem').filter({ hasText: 'AWS key' }).count()).toBe(1);
    expect(await page.getByRole('link', { name: 'Open' }).getAttribute('href')).toBe(
      'https://sallyport.example/reviews/1',
    );
  });

  it('clicks: an answer that only the clicking person sees', async () => {
    await page.getByRole('button', { name: 'Take it' }).click();
    const whisper = page.locator('.whisper');
    await whisper.waitFor();
    expect(await whisper.innerText()).toContain('Only visible to you');
    await page.getByLabel('You are').selectOption({ label: 'Bob Koenig (guest)' });
    await eventually(async () => (await whisper.count()) === 0);
    await page.getByLabel('You are').selectOption({ label: 'Alice Weber' });
    await whisper.waitFor();
  });

  it('fills a form, with what is wrong beside its field, and the message changes without a reload', async () => {
    await page.getByRole('button', { name: 'Reject' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: 'Why?' }).fill('no');
    await form.getByRole('button', { name: 'Reject' }).click();
    await form.getByText('at least 3 characters').waitFor();
    expect(await form.getByText('please complete this required field').count()).toBe(1);
    expect(submitted).toEqual([]);
    await form.getByRole('textbox', { name: 'Why?' }).fill('not ours');
    await form.getByRole('combobox', { name: 'How bad is it?' }).selectOption('high');
    await form.getByRole('checkbox', { name: 'owner' }).check();
    await form.getByRole('textbox', { name: 'Until when?' }).fill('2027-02-01');
    // What was chosen before stands there, as the hour that it is here.
    expect(await form.getByLabel('Due').inputValue()).toBe(hourOf(1_800_000_000));
    await form.getByLabel('Due').fill(hourOf(1_800_003_600));
    await form.getByRole('button', { name: 'Reject' }).click();
    await form.getByText('Say more.').waitFor();
    await form.getByRole('textbox', { name: 'Why?' }).fill('it is not ours at all');
    await form.getByRole('button', { name: 'Reject' }).click();
    await page.getByText('Rejected by Alice Weber').waitFor();
    await eventually(async () => !(await form.isVisible()));
    expect(submitted.at(-1)).toMatchObject({
      why: { x: { value: 'it is not ours at all' } },
      severity: { x: { selected_option: { value: 'high' } } },
      tell: { x: { selected_options: [{ value: 'owner' }] } },
      by: { x: { selected_date: '2027-02-01' } },
      due: { x: { type: 'datetimepicker', selected_date_time: 1_800_003_600 } },
      ask: { x: { type: 'datetimepicker', selected_date_time: null } },
    });
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
  });

  it('takes commands and words, also into a thread, and keeps what is being typed', async () => {
    const words = page.getByPlaceholder(/Write a message/);
    await words.fill('/review list <b>');
    await words.press('Enter');
    await page.getByText('You said list <b>.').waitFor();
    await page.getByRole('button', { name: 'Reply in thread' }).first().click();
    await words.fill('is it <b>really</b>?');
    await words.press('Enter');
    await page.locator('.thread').getByText('is it <b>really</b>?').waitFor();
    await words.fill('half a sen');
    await web.apiCall('chat.postMessage', { channel: fake.channel, text: 'something new' });
    await page.getByText('something new').waitFor();
    expect(await words.inputValue()).toBe('half a sen');
  });

  it('opens the Home tab, whose buttons work, and says when nobody answers', async () => {
    await page.getByRole('button', { name: 'Sallyport: home' }).click();
    await page.getByRole('heading', { name: 'Yours' }).waitFor();
    const before = fake.whispers.length;
    await page.getByRole('button', { name: 'Take it' }).click();
    await eventually(() => fake.whispers.length === before + 1);
    await socket.disconnect();
    await page.getByRole('button', { name: 'Take it' }).click();
    await page.getByText('nobody is connected').waitFor();
    await socket.start();
    expect(faults).toEqual([]);
  });

  it('answers no other site that borrows the visitor’s browser', async () => {
    const act = (headers: Record<string, string>) =>
      fetch(`${fake.page()}page/act`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ as: 'U0ALICE', kind: 'close' }),
      });
    const foreign = { 'content-type': 'application/json', origin: 'https://elsewhere.example' };
    expect((await act(foreign)).status).toBe(403);
    expect((await act({ 'content-type': 'text/plain' })).status).toBe(403);
    const home = await fetch(fake.page());
    expect(home.headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

interface Envelope {
  readonly ack: (answer?: object) => Promise<void>;
  readonly body: Record<string, unknown>;
}
