import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { WebClient } from '@slack/web-api';
import { pino } from 'pino';
import { slackErrorCode, troubleOf } from '../../../src/reviews/channels/slack/delivery/slack-errors.js';
import { createWebClient } from '../../../src/reviews/channels/slack/setup/slack-clients.js';
import { MOST_BYTES } from '../../../src/reviews/channels/slack/setup/slack-fetch.js';
import { FakeSlack } from '../../support/slack/fake-slack.js';

let slack: FakeSlack;
let web: WebClient;
beforeAll(async () => {
  slack = await FakeSlack.start();
  web = createWebClient(slack, pino({ level: 'silent' }));
});
afterEach(() => slack.behave());
afterAll(() => slack.close());

const failed = (): Promise<unknown> =>
  web.auth.test().then(
    () => 'nothing failed',
    (error: unknown) => error,
  );

describe('what answers in Slack’s place', () => {
  it.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['a number', '5'],
    ['nothing', ''],
    ['a page', `<html>${'x'.repeat(100_000)}</html>`],
    ['a failure without a reason', '{"ok":false}'],
    ['a failure with an empty reason', '{"ok":false,"error":""}'],
    ['a reason that is an object', '{"ok":false,"error":{"a":1}}'],
    ['metadata that are none', '{"ok":true,"response_metadata":null}'],
    ['warnings that are none', '{"ok":true,"response_metadata":{"warnings":5}}'],
    ['messages that are none', '{"ok":true,"response_metadata":{"messages":[{}]}}'],
  ])('may have done it, or not: %s', async (_name, body) => {
    slack.script('auth.test', { kind: 'answer', body });
    const trouble = troubleOf(await failed());
    expect(trouble).toMatchObject({ kind: 'unsure', reason: expect.stringMatching(/the answer/) });
    expect(trouble.reason.length).toBeLessThanOrEqual(200);
  });

  it('may have done it, or not, when it breaks off in the middle of what it says', async () => {
    slack.script('auth.test', { kind: 'answer', body: '{"ok":tr', breaksOff: true });
    expect(troubleOf(await failed())).toMatchObject({ kind: 'unsure' });
  });

  it('is read up to a bound, and no further', async () => {
    slack.script('auth.test', { kind: 'answer', body: JSON.stringify('x'.repeat(MOST_BYTES)) });
    expect(troubleOf(await failed())).toMatchObject({
      kind: 'unsure',
      reason: expect.stringMatching(/larger/),
    });
  });

  it('leads nowhere else', async () => {
    slack.script('auth.test', { kind: 'answer', status: 307, headers: { location: slack.apiUrl }, body: '' });
    expect(troubleOf(await failed())).toMatchObject({ kind: 'unsure' });
    expect(slack.calls.filter(({ method }) => method === '')).toEqual([]);
  });

  it.each([
    ['no time', {}, 30],
    ['a time that is none', { 'retry-after': 'soon' }, 30],
    ['a negative one', { 'retry-after': '-5' }, 1],
    ['a century', { 'retry-after': '3155760000' }, 3600],
  ])('has us wait for a bounded time when it asks to wait and names %s', async (_name, headers, seconds) => {
    slack.script('auth.test', { kind: 'answer', status: 429, headers, body: 'slow down' });
    expect(troubleOf(await failed())).toMatchObject({ kind: 'wait', seconds });
  });
});

describe('the word for what went wrong', () => {
  const platform = (error: unknown) =>
    Object.assign(new Error('x'), { code: 'slack_webapi_platform_error', data: { ok: false, error } });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['an object without a prototype', Object.create(null) as unknown],
    ['an empty text', ''],
    ['a page', `<html>\n\u0007${'x'.repeat(1_000_000)}`],
  ])('is one short line that shows all of it, whatever was thrown or said: %s', (_name, value) => {
    const thrown = typeof value === 'string' ? new Error(value) : value;
    for (const error of [thrown, value, platform(value)]) {
      const word = slackErrorCode(error);
      expect(word).not.toBe('');
      expect(word).not.toMatch(/\p{Cc}/u);
      expect(Array.from(word).length).toBeLessThanOrEqual(200);
    }
    if (typeof value !== 'string' || value === '')
      expect(troubleOf(platform(value))).toMatchObject({ kind: 'unsure' });
  });
});
