import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SlackConnection } from '../../src/reviews/channels/slack/inbound/slack-connection.js';
import { bindSlackPerson } from '../../src/reviews/channels/slack/sql/identities.js';
import { eventually } from '../support/eventually.js';
import { buttonsOf, FakeSlack, textOf, type FakeMessage } from '../support/slack/fake-slack.js';
import { startSmtp, type FakeSmtp } from '../support/smtp.js';
import { reviewsApp } from './app.js';
import { reviewsStage, type ReviewsStage } from './stage.js';

const ORIGIN = 'http://127.0.0.1:8080';
const PEOPLE = 100;

/** What came of one person's click. */
interface Told {
  readonly status: number;
  readonly text: string;
}

/** So many of them are asked by name, and have a direct message of it. */
const NAMED = 8;
const slackUser = (n: number) => ({ id: `U0P${n}`, name: `p${n}` });

describe('a hundred people who decide at once over the web, the API, mail and Slack', () => {
  let stage: ReviewsStage;
  let smtp: FakeSmtp;
  let app: NestFastifyApplication;
  let slack: FakeSlack;
  let reviewId: string;
  let ticking: NodeJS.Timeout;

  beforeEach(async () => {
    stage = await reviewsStage();
    stage.reviewers.people = Array.from({ length: PEOPLE }, (_, n) => ({
      personId: `p${n}`,
      name: `Person ${n}`,
      email: `p${n}@example.com`,
      groups: ['everybody'],
    }));
    smtp = await startSmtp();
    slack = await FakeSlack.start({
      state: {
        users: Array.from({ length: PEOPLE }, (_, n) => slackUser(n)),
        channels: [{ id: 'C0REVIEWS', name: 'reviews' }],
      },
    });
    slack.now = () => stage.clock.now();
    slack.scopes = ['chat:write', 'im:write', 'channels:history', 'im:history', 'users:read'];
    const settings = {
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_APP_TOKEN: slack.appToken,
      SLACK_CHANNEL: slack.channel,
      SLACK_API_URL: slack.apiUrl,
    };
    const built = await reviewsApp(stage, settings, { smtpUrl: () => smtp.url });
    app = built.app;
    const connection = app.get(SlackConnection, { strict: false });
    await eventually(() => connection.channelHealth().connected, { what: 'connected to Slack' });
    for (let n = 0; n < PEOPLE; n++)
      await bindSlackPerson(
        stage.db,
        { teamId: slack.teamId, userId: slackUser(n).id },
        { id: `p${n}`, name: `p${n}` },
        1,
      );
    ticking = setInterval(() => stage.clock.advance(20), 1);
    const named = Array.from({ length: NAMED }, (_, n) => ({ user: `Person ${n}` }));
    const task = stage.engine.add({
      title: 'Go?',
      outcomes: ['approve', 'reject'],
      assign: { to: [...named, { group: 'everybody' }] },
    });
    await built.worker.execute(task, { signal: new AbortController().signal, log: () => undefined });
    const [row] = await stage.db.query<{ id: string }>('SELECT id FROM review');
    reviewId = row?.id ?? '';
    await eventually(() => smtp.mails.length === PEOPLE, { what: 'a mail to each', timeoutMs: 30_000 });
    await eventually(() => slack.messages.length === 1 + NAMED, {
      what: 'a message in the channel and to each by name',
      timeoutMs: 30_000,
    });
  }, 90_000);
  afterEach(async () => {
    clearInterval(ticking);
    await app.close();
    await slack.close();
    await smtp.close();
    await stage.close();
  });

  const overHttp = async (n: number, method: 'session' | 'apikey'): Promise<Told> => {
    const answer = await app.inject({
      method: 'POST',
      url: `/api/v1/reviews/${reviewId}/decide`,
      headers: {
        host: '127.0.0.1:8080',
        origin: ORIGIN,
        'x-test-user': `p${n}`,
        'x-test-method': method,
      },
      payload: { outcome: n % 2 === 0 ? 'approve' : 'reject', reason: 'because' },
    });
    return { status: answer.statusCode, text: answer.body };
  };

  /** Opens the link of the person's mail; what it returns clicks. */
  const mailPage = async (n: number): Promise<() => Promise<Told>> => {
    const mail = smtp.mails.find(({ to }) => JSON.stringify(to).includes(`"p${n}@example.com"`));
    const link = /\/r\/[A-Za-z0-9_-]{43}/.exec(mail?.text ?? '')?.[0] ?? '';
    const code = /code for the decision: ([\d ]+)/.exec(mail?.text ?? '')?.[1]?.replaceAll(' ', '') ?? '';
    const followed = await app.inject({ url: link, headers: { host: '127.0.0.1:8080' } });
    const path = String(followed.headers['location']);
    const cookie = String(followed.headers['set-cookie']).split(';')[0] ?? '';
    const page = await app.inject({ url: path, headers: { host: '127.0.0.1:8080', cookie } });
    const hidden = Object.fromEntries(
      [...page.body.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    );
    return async () => {
      const answer = await app.inject({
        method: 'POST',
        url: path,
        headers: {
          host: '127.0.0.1:8080',
          origin: ORIGIN,
          'sec-fetch-site': 'same-origin',
          cookie,
          'content-type': 'application/x-www-form-urlencoded',
        },
        payload: new URLSearchParams({
          ...hidden,
          do: n % 2 === 0 ? 'decide:approve' : 'decide:reject',
          code,
          reason: 'because',
        }).toString(),
      });
      // The mail's page says by a redirect to itself that it is over, and then by whom.
      if (answer.statusCode !== 303) return { status: answer.statusCode, text: answer.body };
      const after = await app.inject({ url: path, headers: { host: '127.0.0.1:8080', cookie } });
      return { status: answer.statusCode, text: after.body };
    };
  };

  /** Opens the form behind the button, in the channel or in one's own messages; what it returns sends it. */
  const slackForm = async (n: number, message: FakeMessage): Promise<() => Promise<Told>> => {
    const user = slackUser(n);
    await slack.click(message, `review.decide:${n % 8 < 4 ? 'approve' : 'reject'}`, user);
    await eventually(() => slack.views.has(user.id), { what: 'the form' });
    return async () => {
      const ack = await slack.submit(user, { reason: { text: 'because' } });
      return ack['response_action'] === undefined
        ? { status: 200, text: '' }
        : { status: 409, text: textOf(ack['view']) };
    };
  };

  it('make one decision, the ninety-nine others are told whose, all copies are locked, and the workflow goes on once', async () => {
    const ways = new Map<number, () => Promise<Told>>();
    for (let n = 2; n < PEOPLE; n += 4) ways.set(n, await mailPage(n));
    const directOf = (n: number): FakeMessage | undefined =>
      slack.messages.find(
        ({ channel }) => slack.workspace.channels.get(channel)?.directWith === slackUser(n).id,
      );
    const inChannel = slack.messages.find(({ channel }) => channel === slack.channel) as FakeMessage;
    for (let n = 3; n < PEOPLE; n += 4) ways.set(n, await slackForm(n, directOf(n) ?? inChannel));
    const told = await Promise.all(
      Array.from(
        { length: PEOPLE },
        (_, n) => ways.get(n)?.() ?? overHttp(n, n % 4 === 0 ? 'session' : 'apikey'),
      ),
    );

    const review = await stage.reviews.get(reviewId);
    expect(review.state).toBe('COMPLETED');
    const winner = review.decision?.by;
    expect(review.votes).toHaveLength(1);
    expect(['web', 'api', 'mail', 'slack']).toContain(review.decision?.via);
    const others = told.filter((_, n) => `p${n}` !== winner?.id);
    expect(others).toHaveLength(PEOPLE - 1);
    for (const { status, text } of others) {
      expect([303, 409]).toContain(status);
      expect(text).toContain(winner?.name);
    }
    expect(told.filter(({ status }) => status === 201 || status === 200).length).toBeLessThanOrEqual(1);
    const decided = await stage.db.query(`SELECT 1 FROM review_event WHERE kind = 'decided'`);
    expect(decided).toHaveLength(1);
    await eventually(() => stage.engine.updates.length === 1);
    expect(stage.engine.updates).toHaveLength(1);
    await eventually(
      () =>
        slack.messages.every(
          ({ blocks }) =>
            textOf(blocks).includes(`decided by ${winner?.name ?? ''}`) &&
            buttonsOf(blocks).every((button) => button['url'] !== undefined),
        ),
      { what: 'every copy is locked with the winner’s name', timeoutMs: 30_000 },
    );
    expect(slack.messages).toHaveLength(1 + NAMED);
  }, 90_000);
});
