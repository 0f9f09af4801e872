import { expect } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { JsonObject } from '../../../src/engine/model/json.js';
import { SlackConnection } from '../../../src/reviews/channels/slack/inbound/slack-connection.js';
import { SlackWorkspace } from '../../../src/reviews/channels/slack/setup/slack-workspace.js';
import { bindSlackPerson } from '../../../src/reviews/channels/slack/sql/identities.js';
import type { Review } from '../../../src/reviews/review.js';
import { eventually } from '../../support/eventually.js';
import { FakeSlack, textOf, type FakeMessage, type FakeUser } from '../../support/slack/fake-slack.js';
import { looseCalls } from '../../support/slack/literal.js';
import { reviewsApp } from '../app.js';
import { reviewsStage, type ReviewsStage } from '../stage.js';

/** Accounts that are bound to the local people of the same name. */
export const alice: FakeUser = { id: 'U0ALICE', name: 'alice.w' };
export const bob: FakeUser = { id: 'U0BOB', name: 'bob.k' };

export interface AnsweringStage extends ReviewsStage {
  readonly slack: FakeSlack;
  readonly app: NestFastifyApplication;
  /** Opens a review, and waits for its message. */
  ask(input?: JsonObject): Promise<{ readonly id: string; readonly message: FakeMessage }>;
  review(id: string): Promise<Review>;
  /** Binds an account to a local person. */
  bind(user: FakeUser, personId: string): Promise<void>;
  /** The modal that is open for somebody, once it is. */
  modal(user: FakeUser): Promise<string>;
  /** What somebody was told last, once they were. */
  whispered(user: FakeUser): Promise<string>;
  end(): Promise<void>;
}

/** The reviews with a workspace before them, in which Alice and Bob are bound. @param how what comes in reaches us. */
export async function answeringStage(how: 'socket' | 'http' = 'socket'): Promise<AnsweringStage> {
  const stage = await reviewsStage();
  const slack = await FakeSlack.start();
  slack.now = () => stage.clock.now();
  const { app, worker } = await reviewsApp(stage, {
    SLACK_BOT_TOKEN: slack.botToken,
    ...(how === 'socket'
      ? { SLACK_APP_TOKEN: slack.appToken }
      : { SLACK_SIGNING_SECRET: slack.signingSecret }),
    SLACK_CHANNEL: slack.channel,
    SLACK_API_URL: slack.apiUrl,
  });
  if (how === 'http') await listenFor(slack, app);
  else {
    const connection = app.get(SlackConnection, { strict: false });
    await eventually(() => connection.channelHealth().connected, { what: 'connected to Slack' });
  }
  const bind = async (user: FakeUser, personId: string): Promise<void> => {
    await bindSlackPerson(
      stage.db,
      { teamId: slack.teamId, userId: user.id },
      { id: personId, name: personId },
      1,
    );
  };
  await bind(alice, 'alice');
  await bind(bob, 'bob');
  // The service's clock runs, a hundred times as fast as ours.
  const ticking = setInterval(() => stage.clock.advance(100), 1);
  const seen = new Map<string, number>();
  return {
    ...stage,
    slack,
    app,
    bind,
    review: (id) => stage.reviews.get(id),
    ask: async (input = {}) => {
      const task = stage.engine.add({
        title: 'Release or delete?',
        scanId: '0d2f5f0e-0000-4000-8000-0000000000aa',
        verdict: 'secrets',
        reason: 'secrets_found',
        outcomes: ['release', 'delete'],
        ...input,
      });
      await worker.execute(task, { signal: new AbortController().signal, log: () => undefined });
      const [row] = await stage.db.query<{ id: string }>('SELECT id FROM review WHERE task_id = $1', [
        task.taskId,
      ]);
      const id = row?.id ?? '';
      const message = await eventually(
        () => slack.messages.find(({ metadata }) => JSON.stringify(metadata ?? {}).includes(id)),
        { what: 'a message in Slack' },
      );
      return { id, message };
    },
    modal: async (user) => textOf(await eventually(() => slack.views.get(user.id), { what: 'a modal' })),
    whispered: async (user) => {
      const mine = () => slack.whispers.filter((whisper) => whisper.user === user.id);
      const before = seen.get(user.id) ?? 0;
      await eventually(() => mine().length > before, { what: `a whisper to ${user.name}` });
      seen.set(user.id, mine().length);
      const last = mine().at(-1);
      return `${last?.text ?? ''}\n${textOf(last?.blocks)}`;
    },
    end: async () => {
      clearInterval(ticking);
      await app.close();
      await slack.close();
      await stage.close();
      // Whatever was said in the test: nothing of it is searched for names and addresses.
      expect(looseCalls(slack.calls)).toEqual([]);
    },
  };
}

/** What people do is posted to the service, signed. */
async function listenFor(slack: FakeSlack, app: NestFastifyApplication): Promise<void> {
  // Until it is known whose workspace this is, Slack is asked to wait.
  await app.get(SlackWorkspace, { strict: false }).ask();
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  const at = (route: string): string => `http://127.0.0.1:${port}/slack/${route}`;
  slack.useHttp({
    interactionsUrl: at('interactions'),
    commandsUrl: at('commands'),
    eventsUrl: at('events'),
  });
}
