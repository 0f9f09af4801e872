import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/access/principal.js';
import { SlackConnection } from '../../../src/reviews/channels/slack/inbound/slack-connection.js';
import { SlackSettingsService } from '../../../src/reviews/channels/slack/setup/slack-settings.service.js';
import { SlackEventHandler, type SlackEvent } from '../../../src/reviews/channels/slack/inbound/events.js';
import { SlackEvents } from '../../../src/reviews/channels/slack/inbound/slack-events.js';
import { SlackHealth } from '../../../src/reviews/channels/slack/inbound/slack-health.js';
import { eventually } from '../../support/eventually.js';
import { FakeSlack } from '../../support/slack/fake-slack.js';
import { reviewsApp } from '../app.js';
import { reviewsStage, type ReviewsStage } from '../stage.js';
import { clickOn, inboundStage, type InboundStage } from './inbound-stage.js';

describe('several nodes with role notify', () => {
  let stage: ReviewsStage;
  let slack: FakeSlack;
  const nodes: InboundStage[] = [];

  beforeEach(async () => {
    stage = await reviewsStage();
    slack = await FakeSlack.start();
    slack.now = () => stage.clock.now();
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.close()));
    await slack.close();
    await stage.close();
  });

  const node = async (): Promise<InboundStage> => {
    const one = await inboundStage('socket', {}, { stage, slack }, 'need not connect');
    nodes.push(one);
    return one;
  };
  const isStandby = ({ connection }: InboundStage): boolean => connection.channelHealth().standby;
  /** Lets time pass, a second at a time, until something is so. */
  const inTime = (isSo: () => boolean): Promise<boolean> =>
    eventually(() => {
      stage.clock.advance(1_000);
      return isSo();
    });

  it('keep two connections, over either of which everything comes in', async () => {
    await node();
    await node();
    await eventually(() => slack.connections === 2);
    const third = await node();
    await eventually(() => isStandby(third));
    // Long enough for both to have said that they are connected.
    await eventually(async () => {
      stage.clock.advance(1_000);
      const [row] = await stage.db.query<{ n: number }>(
        'SELECT count(connected_at)::int AS n FROM slack_socket',
      );
      return row?.n === 2;
    });
    for (let round = 0; round < 8; round++) {
      const review = await stage.open();
      await slack.deliver(clickOn({ slack }, review));
      await eventually(async () => (await stage.reviews.get(review.id)).state === 'CLAIMED');
    }
    expect(slack.connections).toBe(2);
    const health = await third.app.get(SlackHealth, { strict: false }).check();
    expect(health).toMatchObject([
      { healthy: true, detail: expect.stringContaining('connected to Home by another node') },
    ]);
  });

  it('take over from one that stops, at their next look', async () => {
    const first = await node();
    await node();
    await eventually(() => slack.connections === 2);
    const third = await node();
    await eventually(() => isStandby(third));
    nodes.splice(nodes.indexOf(first), 1);
    await first.close();
    await eventually(() => slack.connections === 1);
    await inTime(() => third.connection.channelHealth().connected);
    expect(slack.connections).toBe(2);
  });

  it('take over from one that died, once it was silent for fifteen seconds', async () => {
    const held = (slot: number) =>
      stage.db.query('INSERT INTO slack_socket (slot, holder, held_until) VALUES ($1, $2, $3)', [
        slot,
        `the dead node ${slot}`,
        stage.clock.now() + 15_000,
      ]);
    await held(1);
    await held(2);
    const only = await node();
    await eventually(() => isStandby(only));
    const began = stage.clock.now();
    await inTime(() => only.connection.channelHealth().connected);
    expect(stage.clock.now()).toBeGreaterThan(began + 15_000);
  });

  it('leave the connection of one whose place another took', async () => {
    const only = await node();
    await eventually(() => only.connection.channelHealth().connected);
    await eventually(async () => {
      const [row] = await stage.db.query('SELECT 1 FROM slack_socket WHERE connected_at IS NOT NULL');
      return row !== undefined;
    });
    await stage.db.query(`INSERT INTO slack_socket (slot, holder, held_until)
      SELECT s, 'another node', 9000000000000 FROM generate_series(1, 2) s
      ON CONFLICT (slot) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until`);
    await inTime(() => !only.connection.channelHealth().connected && slack.connections === 0);
    await inTime(() => isStandby(only));
  });
});

describe('other tokens', () => {
  const admin: Principal = { kind: 'user', id: 'root', name: 'root', roles: ['admin'], method: 'session' };
  let stage: ReviewsStage;
  let slack: FakeSlack;
  let app: NestFastifyApplication;

  beforeEach(async () => {
    stage = await reviewsStage();
    slack = await FakeSlack.start();
    ({ app } = await reviewsApp(stage, { SLACK_API_URL: slack.apiUrl }));
  });
  afterEach(async () => {
    await app.close();
    await slack.close();
    await stage.close();
  });

  it('are connected with at once, without a restart, and hung up on when they are taken away', async () => {
    const settings = app.get(SlackSettingsService, { strict: false });
    const connection = app.get(SlackConnection, { strict: false });
    expect(connection.channelHealth()).toMatchObject({ connected: false, standby: false });
    expect(await app.get(SlackHealth, { strict: false }).check()).toEqual([]);
    await settings.change(
      { botToken: slack.botToken, appToken: slack.appToken, channel: slack.channel },
      admin,
    );
    await eventually(() => connection.channelHealth().connected);

    // Another channel is no reason to connect anew.
    const since = slack.calls.filter(({ method }) => method === 'apps.connections.open').length;
    slack.addChannel({ id: 'C0OTHER', name: 'other', isPrivate: false, botIsMember: true });
    await settings.change({ channel: 'C0OTHER' }, admin);
    expect(slack.calls.filter(({ method }) => method === 'apps.connections.open')).toHaveLength(since);
    expect(connection.channelHealth().connected).toBe(true);

    // One that Slack does not take is not stored, and what works goes on.
    const wrong = ['xapp', 'wrong'].join('-');
    await expect(settings.change({ appToken: wrong }, admin)).rejects.toThrow(/^appToken: Slack refuses it/);
    expect(connection.channelHealth().connected).toBe(true);
    await settings.change({ appToken: null }, admin);
    await eventually(() => !connection.channelHealth().connected && slack.connections === 0);
    expect(connection.channelHealth().standby).toBe(false);
  });
});

describe('an event', () => {
  class Taken extends SlackEventHandler {
    readonly eventType = 'message';
    readonly seen: string[] = [];
    failing = 0;
    during: () => Promise<void> = async () => undefined;

    async received({ eventId }: SlackEvent): Promise<{ afterwards: () => Promise<void> }> {
      await this.during();
      if (this.failing > 0) {
        this.failing -= 1;
        throw new Error('the database is away');
      }
      this.seen.push(eventId);
      return { afterwards: async () => undefined };
    }
  }
  const home = { teamId: 'T0HOME', scopes: [] };
  const told = (id: string) => ({
    type: 'event_callback',
    event_id: id,
    team_id: 'T0HOME',
    event: { type: 'message', text: 'hello' },
  });
  let stage: ReviewsStage;
  let handler: Taken;
  let nodes: SlackEvents[];

  beforeEach(async () => {
    stage = await reviewsStage();
    handler = new Taken();
    nodes = [1, 2].map(() => new SlackEvents([handler], stage.db, stage.clock));
  });
  afterEach(() => stage.close());

  it('is taken once, however often and on however many nodes Slack tells it', async () => {
    for (const events of [...nodes, ...nodes]) await events.handle(told('Ev1'), home);
    await nodes[0]?.handle(told('Ev2'), home);
    expect(handler.seen).toEqual(['Ev1', 'Ev2']);
  });

  it('is not acknowledged when it could not be kept, and taken when it comes again', async () => {
    handler.failing = 1;
    await expect(nodes[0]?.handle(told('Ev1'), home)).rejects.toThrow('the database is away');
    await nodes[1]?.handle(told('Ev1'), home);
    expect(handler.seen).toEqual(['Ev1']);
  });

  it('is not acknowledged while another node has it, since that one may yet fail', async () => {
    let goOn: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      handler.during = () =>
        new Promise((ended) => {
          goOn = ended;
          resolve();
        });
    });
    const first = nodes[0]?.handle(told('Ev1'), home);
    await begun;
    await expect(nodes[1]?.handle(told('Ev1'), home)).rejects.toThrow(/Another node/);
    goOn();
    await first;
    expect(await nodes[1]?.handle(told('Ev1'), home)).toEqual({});
    expect(handler.seen).toEqual(['Ev1']);
  });

  it('is taken by another node when the one that had it died', async () => {
    await stage.db.query('INSERT INTO slack_event (event_id, held_until, forget_at) VALUES ($1, $2, $3)', [
      'Ev1',
      stage.clock.now() + 30_000,
      stage.clock.now() + 3_600_000,
    ]);
    await expect(nodes[0]?.handle(told('Ev1'), home)).rejects.toThrow(/Another node/);
    stage.clock.advance(30_000);
    await nodes[0]?.handle(told('Ev1'), home);
    expect(handler.seen).toEqual(['Ev1']);
  });

  it('that nobody takes leaves nothing behind', async () => {
    await nodes[0]?.handle({ ...told('Ev1'), event: { type: 'emoji_changed' } }, home);
    expect(await stage.db.query('SELECT * FROM slack_event')).toEqual([]);
  });
});

describe('what is remembered of what came in', () => {
  it('is forgotten once it can come in no more', async () => {
    const here = await inboundStage('socket');
    const { stage } = here;
    try {
      const [now, sha] = [stage.clock.now(), Buffer.alloc(32, 7)];
      await stage.db.query('INSERT INTO slack_request VALUES ($1, $2)', [sha, now + 600_000]);
      await stage.db.query('INSERT INTO slack_event VALUES ($1, 0, 0, $2)', ['Ev1', now + 600_000]);
      const left = async () =>
        (await stage.db.query('SELECT 1 FROM slack_request UNION ALL SELECT 1 FROM slack_event')).length;
      stage.clock.advance(500_000);
      await stage.db.query('SELECT 1');
      expect(await left()).toBe(2);
      await eventually(async () => {
        stage.clock.advance(60_000);
        return (await left()) === 0;
      });
      expect(stage.clock.now()).toBeGreaterThan(now + 600_000);
    } finally {
      await here.close();
    }
  });
});
