import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SlackConnection } from '../../../src/reviews/channels/slack/inbound/slack-connection.js';
import { bindSlackPerson } from '../../../src/reviews/channels/slack/sql/identities.js';
import type { HumanWorker } from '../../../src/reviews/human.worker.js';
import type { Review } from '../../../src/reviews/review.js';
import { valueOf } from '../../../src/reviews/channels/slack/review-buttons.js';
import { eventually } from '../../support/eventually.js';
import { FakeSlack } from '../../support/slack/fake-slack.js';
import { reviewsApp } from '../app.js';
import { reviewsStage, type ReviewsStage } from '../stage.js';

export const alice = { id: 'U0ALICE', name: 'alice.w' };
export const bob = { id: 'U0BOB', name: 'bob.k' };
const HOST = { host: '127.0.0.1:8080' };

export interface InboundStage {
  readonly stage: ReviewsStage;
  readonly slack: FakeSlack;
  readonly app: NestFastifyApplication;
  readonly worker: HumanWorker;
  readonly connection: SlackConnection;
  /** Everything that a decision, a claim or a link would have changed. */
  facts(): Promise<unknown>;
  close(): Promise<void>;
}

/** The reviews stage with a Slack beside it. Alice and Bob are linked. */
export async function inboundStage(
  how: 'socket' | 'http' | 'both',
  settings: Record<string, string> = {},
  given?: { stage: ReviewsStage; slack: FakeSlack },
  connects: 'connected' | 'need not connect' = 'connected',
): Promise<InboundStage> {
  const stage = given?.stage ?? (await reviewsStage());
  const slack = given?.slack ?? (await FakeSlack.start());
  slack.now = () => stage.clock.now();
  slack.addUser({ ...alice, email: 'alice@example.com' });
  slack.addUser({ ...bob, email: 'bob@example.com' });
  const { app, worker } = await reviewsApp(stage, {
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_CHANNEL: slack.channel,
    SLACK_API_URL: slack.apiUrl,
    ...(how === 'http' ? {} : { SLACK_APP_TOKEN: slack.appToken }),
    ...(how === 'socket' ? {} : { SLACK_SIGNING_SECRET: slack.signingSecret }),
    ...settings,
  });
  const connection = app.get(SlackConnection, { strict: false });
  if (how !== 'http' && connects === 'connected')
    await eventually(() => connection.channelHealth().connected, { what: 'connected to Slack' });
  for (const [userId, id] of [
    [alice.id, 'alice'],
    [bob.id, 'bob'],
  ] as const)
    await bindSlackPerson(stage.db, { teamId: slack.teamId, userId }, { id, name: id }, 1);
  return {
    stage,
    slack,
    app,
    worker,
    connection,
    facts: async () =>
      stage.db.query(
        `SELECT (SELECT count(*) FROM review_event) AS events, (SELECT count(*) FROM audit_event) AS audits,
                (SELECT json_agg(r.state) FROM review r) AS states, (SELECT count(*) FROM slack_identity) AS linked,
                (SELECT count(*) FROM slack_link_request) AS links`,
      ),
    close: async () => {
      await app.close();
      if (given !== undefined) return;
      await slack.close();
      await stage.close();
    },
  };
}

/** A click on a review, as Slack tells of it. */
export const clickOn = (
  { slack }: Pick<InboundStage, 'slack'>,
  review: Review,
  more: Record<string, unknown> = {},
): Record<string, unknown> => ({
  type: 'block_actions',
  team: { id: slack.teamId },
  user: { id: alice.id, name: alice.name, team_id: slack.teamId },
  api_app_id: slack.workspace.appId,
  trigger_id: slack.workspace.triggers.issue(alice.id),
  channel: { id: slack.channel },
  container: { type: 'message', channel_id: slack.channel, message_ts: '1.1' },
  actions: [{ type: 'button', action_id: 'review.claim', value: valueOf(review) }],
  ...more,
});

export type SlackRoute = 'interactions' | 'commands' | 'events';

/** Posts a body to one of the routes, with headers of its own or signed as Slack would. */
export const post = (
  { app, slack }: Pick<InboundStage, 'app' | 'slack'>,
  route: SlackRoute,
  body: string,
  headers: Record<string, string> = slack.sign(body),
): Promise<{ statusCode: number; body: string }> =>
  app.inject({
    method: 'POST',
    url: `/slack/${route}`,
    headers: {
      ...HOST,
      'content-type': route === 'events' ? 'application/json' : 'application/x-www-form-urlencoded',
      ...headers,
    },
    payload: body,
  });

/** An interaction as the form that Slack posts. */
export const asForm = (payload: unknown): string =>
  new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
