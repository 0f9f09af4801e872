import { expect } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Principal } from '../../../src/access/principal.js';
import type { JsonObject } from '../../../src/engine/model/json.js';
import type { Review } from '../../../src/reviews/review.js';
import { SlackConnection } from '../../../src/reviews/channels/slack/inbound/slack-connection.js';
import { slackCopies } from '../../../src/reviews/channels/slack/sql/copies.js';
import { bindSlackPerson } from '../../../src/reviews/channels/slack/sql/identities.js';
import { ReviewsService } from '../../../src/reviews/reviews.service.js';
import { findReview } from '../../../src/reviews/sql/find-review.js';
import { eventually } from '../../support/eventually.js';
import { buttonsOf, FakeSlack, textOf, type FakeMessage } from '../../support/slack/fake-slack.js';
import { looseCalls } from '../../support/slack/literal.js';
import { reviewsApp } from '../app.js';
import { reviewsStage, type ReviewsStage } from '../stage.js';

export const ALICE = { id: 'U0ALICE', name: 'alice.w' };
export const BOB = { id: 'U0BOB', name: 'bob.k' };
/** In the channel, and bound to nobody. */
export const MALLORY = { id: 'U0MALLORY', name: 'mallory' };

/** Who sets Slack's channels. */
export const OPERATOR: Principal = {
  kind: 'user',
  id: 'olga',
  name: 'Olga',
  roles: ['operator'],
  method: 'session',
};

const SCOPES = [
  'chat:write',
  ...['channels', 'groups', 'im'].flatMap((kind) => [`${kind}:history`, `${kind}:read`]),
  'im:write',
  'users:read',
];

/** The service with Slack, in which Alice and Bob are bound; its clock runs a hundred times as fast as ours. */
export class DeliveryStage {
  private ticking: NodeJS.Timeout | undefined;

  private constructor(
    readonly stage: ReviewsStage,
    readonly slack: FakeSlack,
    readonly app: NestFastifyApplication,
    private readonly execute: (input: JsonObject) => Promise<string>,
  ) {}

  static async start(settings: Record<string, string> = {}): Promise<DeliveryStage> {
    const stage = await reviewsStage();
    stage.reviewers.people = [
      { personId: 'alice', name: 'Alice', login: 'alice', email: 'alice@example.com', mail: 'mine' },
      { personId: 'bob', name: 'Bob', login: 'bob', email: 'bob@example.com' },
    ];
    const slack = await FakeSlack.start({
      state: {
        users: [ALICE, BOB, MALLORY],
        channels: [{ id: 'C0REVIEWS', name: 'reviews' }],
      },
    });
    slack.now = () => stage.clock.now();
    slack.scopes = SCOPES;
    const built = await reviewsApp(stage, {
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_APP_TOKEN: slack.appToken,
      SLACK_CHANNEL: slack.channel,
      SLACK_API_URL: slack.apiUrl,
      ALERT_TO: 'operators@example.com',
      ...settings,
    });
    const connection = built.app.get(SlackConnection, { strict: false });
    await eventually(() => connection.channelHealth().connected, { what: 'connected to Slack' });
    for (const [userId, id] of [
      [ALICE.id, 'alice'],
      [BOB.id, 'bob'],
    ] as const)
      await bindSlackPerson(stage.db, { teamId: slack.teamId, userId }, { id, name: id }, 1);
    const one = new DeliveryStage(stage, slack, built.app, async (input) => {
      const task = stage.engine.add(input);
      await built.worker.execute(task, { signal: new AbortController().signal, log: () => undefined });
      return task.taskId;
    });
    one.run();
    return one;
  }

  /** The service's own, whose changes Slack hears of. */
  get reviews(): ReviewsService {
    return this.app.get(ReviewsService, { strict: false });
  }

  /** Lets the clock run, faster or slower. */
  run(msPerTick = 100): void {
    clearInterval(this.ticking);
    this.ticking = setInterval(() => this.stage.clock.advance(msPerTick), 1);
  }

  async close(): Promise<void> {
    clearInterval(this.ticking);
    await this.app.close();
    await this.slack.close();
    await this.stage.close();
    // Whatever was said in the test: nothing of it is searched for names and addresses.
    expect(looseCalls(this.slack.calls)).toEqual([]);
  }

  async open(input: JsonObject = {}): Promise<Review> {
    const taskId = await this.execute({
      title: 'Release or delete?',
      scanId: '0d2f5f0e-0000-4000-8000-0000000000aa',
      verdict: 'secrets',
      reason: 'secrets_found',
      outcomes: ['release', 'delete'],
      ...input,
    });
    const review = await findReview(this.stage.db, { taskId });
    if (review === undefined) throw new Error('no review was opened');
    return review;
  }

  /** The message of a review in a channel, without those of its thread. */
  inChannel(reviewId: string, channel = this.slack.channel): FakeMessage | undefined {
    return this.slack.messages.find((message) => message.channel === channel && isRootOf(message, reviewId));
  }

  /** The same in somebody's direct messages. */
  directTo(user: { readonly id: string }, reviewId: string): FakeMessage | undefined {
    const { channels } = this.slack.workspace;
    const direct = [...channels.values()].find(({ directWith }) => directWith === user.id);
    return direct && this.inChannel(reviewId, direct.id);
  }

  posted(reviewId: string, channel?: string): Promise<FakeMessage> {
    return eventually(() => this.inChannel(reviewId, channel), { what: `a message of ${reviewId}` });
  }

  told(user: { readonly id: string }, reviewId: string): Promise<FakeMessage> {
    return eventually(() => this.directTo(user, reviewId), { what: `a direct message to ${user.id}` });
  }

  thread(root: FakeMessage): readonly FakeMessage[] {
    return this.slack.messages.filter(
      ({ threadTs, channel }) => channel === root.channel && threadTs === root.ts,
    );
  }

  copies(reviewId: string) {
    return slackCopies(this.stage.db, reviewId);
  }

  /** Nothing of Slack waits any more. */
  async quiet(): Promise<void> {
    await eventually(
      async () => {
        const rows = await this.stage.db.query(
          `SELECT 1 FROM outbox WHERE kind IN ('slack.post', 'slack.direct', 'slack.update', 'slack.copy', 'slack.thread')
            AND state IN ('pending', 'sending', 'ambiguous') LIMIT 1`,
        );
        return rows.length === 0;
      },
      { what: 'Slack was told everything', timeoutMs: 20_000 },
    );
  }

  async kinds(reviewId: string): Promise<readonly string[]> {
    const rows = await this.stage.db.query<{ kind: string }>(
      'SELECT kind FROM review_event WHERE review_id = $1 ORDER BY id',
      [reviewId],
    );
    return rows.map(({ kind }) => kind);
  }
}

const isRootOf = (message: FakeMessage, reviewId: string): boolean =>
  message.threadTs === undefined && JSON.stringify(message.metadata ?? {}).includes(reviewId);

/** Whether no button is left that decides. */
export const isLocked = (message: FakeMessage): boolean =>
  buttonsOf(message.blocks).every((button) => button['url'] !== undefined);

/** All that people see of a message. */
export const seen = (message: FakeMessage): string => `${message.text}\n${textOf(message.blocks)}`;
