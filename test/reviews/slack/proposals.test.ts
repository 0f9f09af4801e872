import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Proposal, ProposalList } from '../../../src/reviews/channels/slack/setup/proposals.view.js';
import { buttonsOf, FakeSlack, textOf, type FakeMessage } from '../../support/slack/fake-slack.js';
import { looseCalls } from '../../support/slack/literal.js';
import { reviewsApp } from '../app.js';
import { reviewsStage, type ReviewsStage } from '../stage.js';
import { confirmLink, openLink } from './linking.js';
import { audited } from '../../support/audit.js';

const DAY = 86_400_000;

describe('Slack accounts that are proposed by e-mail address', () => {
  let stage: ReviewsStage;
  let slack: FakeSlack;
  let app: NestFastifyApplication;

  beforeEach(async () => {
    stage = await reviewsStage();
    slack = await FakeSlack.start();
    slack.now = () => stage.clock.now();
    slack.addUser({ id: 'U0ALICE', name: 'alice.w', email: 'alice@example.com' });
    const settings = {
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_APP_TOKEN: slack.appToken,
      SLACK_CHANNEL: slack.channel,
      SLACK_API_URL: slack.apiUrl,
    };
    app = (await reviewsApp(stage, settings)).app;
  });
  afterEach(async () => {
    await app.close();
    await slack.close();
    expect(looseCalls(slack.calls)).toEqual([]);
    await stage.close();
  });

  const as = (user: string) => ({
    host: '127.0.0.1:8080',
    'x-test-user': user,
    'x-test-roles': user === 'oscar' ? 'operator' : 'analyst',
  });
  const call = (method: 'GET' | 'POST', url: string, user: string, payload?: object) =>
    app.inject({
      method,
      url,
      headers: as(user),
      ...(payload !== undefined && { payload }),
    });
  const propose = async (order: object = {}): Promise<readonly Proposal[]> => {
    const { payload, statusCode } = await call('POST', '/api/v1/slack/proposals', 'oscar', order);
    expect(statusCode, payload).toBe(200);
    return (JSON.parse(payload) as ProposalList).items;
  };
  const states = (items: readonly Proposal[]) => items.map(({ person, state }) => `${person.name}: ${state}`);
  const linkIn = (message: FakeMessage | undefined): string => {
    const [button] = buttonsOf(message?.blocks ?? []);
    return new URL(button?.['url'] as string).pathname + new URL(button?.['url'] as string).search;
  };
  const linked = () =>
    stage.db.query<{ user_id: string; person_id: string }>('SELECT user_id, person_id FROM slack_identity');

  it('reach their owner by a direct message, and are linked by that person alone, with one click', async () => {
    expect(states(await propose())).toEqual(['Alice: proposed', 'Bob: not_found']);
    const [message] = slack.messages;
    expect(message?.channel).toMatch(/^D/);
    expect(textOf(message?.blocks)).toMatch(/oscar proposes to link it to Alice/);
    expect(await linked()).toEqual([]);

    const link = linkIn(message);
    // Somebody else who got hold of the link changes nothing, and uses nothing up.
    expect((await openLink(app, link, as('bob'))).status).toBe(403);
    expect((await confirmLink(app, link, as('bob'))).status).toBe(403);
    expect(await linked()).toEqual([]);
    expect((await openLink(app, link, as('alice'))).body).toContain('alice.w');
    expect((await confirmLink(app, link, as('alice'))).status).toBe(200);
    expect(await linked()).toEqual([{ user_id: 'U0ALICE', person_id: 'alice' }]);
    expect((await confirmLink(app, link, as('alice'))).status).toBe(404);
    expect(states(await propose())).toEqual(['Alice: linked', 'Bob: not_found']);
    expect(slack.messages).toHaveLength(1);
  });

  it('are sent once, anew when asked for a day later, and again when they expired; the older link works no more', async () => {
    await propose();
    expect(states(await propose())).toEqual(['Alice: open', 'Bob: not_found']);
    expect(slack.messages).toHaveLength(1);
    stage.clock.advance(DAY - 1);
    expect(states(await propose({ again: true }))).toEqual(['Alice: open', 'Bob: not_found']);
    expect(slack.messages).toHaveLength(1);
    stage.clock.advance(1);
    expect(states(await propose({ again: true }))).toEqual(['Alice: proposed', 'Bob: not_found']);
    expect(slack.messages).toHaveLength(2);
    expect((await openLink(app, linkIn(slack.messages[0]), as('alice'))).status).toBe(404);
    expect((await openLink(app, linkIn(slack.messages[1]), as('alice'))).status).toBe(200);
    stage.clock.advance(3 * DAY + 1);
    expect((await openLink(app, linkIn(slack.messages[1]), as('alice'))).status).toBe(404);
    const listed = await call('GET', '/api/v1/slack/proposals', 'oscar');
    expect(states((JSON.parse(listed.payload) as ProposalList).items)[0]).toBe('Alice: none');
    expect(states(await propose())[0]).toBe('Alice: proposed');
  });

  it('may be followed again as long as they live, also after what a browser keeps of the link is gone', async () => {
    await propose();
    const link = linkIn(slack.messages[0]);
    // Followed without being signed in, and forgotten.
    const { host } = as('alice');
    expect((await openLink(app, link, { host })).status).toBe(303);
    for (const hours of [2, 24, 72 - 26 - 1]) {
      stage.clock.advance(hours * 3_600_000);
      expect((await openLink(app, link, as('alice'))).status).toBe(200);
    }
    expect((await confirmLink(app, link, as('alice'))).status).toBe(200);
    expect(await linked()).toEqual([{ user_id: 'U0ALICE', person_id: 'alice' }]);
  });

  it('may be made anew after the account was unlinked, once, and then once a day as before', async () => {
    await propose();
    await confirmLink(app, linkIn(slack.messages[0]), as('alice'));
    expect(states(await propose())[0]).toBe('Alice: linked');
    const unlink = async () =>
      (
        await app.inject({
          method: 'DELETE',
          url: `/api/v1/slack/people/${slack.teamId}/U0ALICE`,
          headers: as('alice'),
        })
      ).statusCode;
    expect(await unlink()).toBe(204);
    const listed = await call('GET', '/api/v1/slack/proposals', 'oscar');
    expect(states((JSON.parse(listed.payload) as ProposalList).items)[0]).toBe('Alice: none');
    // Slack takes one message a second.
    stage.clock.advance(2_000);
    expect(states(await propose())[0]).toBe('Alice: proposed');
    expect(slack.messages).toHaveLength(2);
    stage.clock.advance(DAY - 1);
    expect(states(await propose({ again: true }))[0]).toBe('Alice: open');
    expect(slack.messages).toHaveLength(2);
    expect((await confirmLink(app, linkIn(slack.messages[1]), as('alice'))).status).toBe(200);
  });

  it('that are made at the same moment reach somebody once', async () => {
    slack.addUser({ id: 'U0BOB', name: 'bob.k', email: 'bob@example.com' });
    slack.script('chat.postMessage', { kind: 'slow', ms: 200 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => propose()));
    expect(slack.messages).toHaveLength(2);
    for (const items of answers) for (const { state } of items) expect(['proposed', 'open']).toContain(state);
    // The one link that was sent works.
    expect((await openLink(app, linkIn(slack.messages[0]), as('alice'))).status).toBe(200);
    expect(await stage.db.query("SELECT 1 FROM audit_event WHERE action = 'slack.proposed'")).toHaveLength(2);
  });

  it('are made again where the process ended while one was sent, but not while it may be under way', async () => {
    await propose();
    await stage.db.query(`UPDATE slack_proposal SET state = 'sending' WHERE person_id = 'alice'`);
    expect(states(await propose())[0]).toBe('Alice: open');
    stage.clock.advance(60_000);
    expect(states(await propose())[0]).toBe('Alice: proposed');
    expect(slack.messages).toHaveLength(2);
  });

  it('go to no guest, bot, deactivated account, stranger or account of somebody else', async () => {
    const people = [
      ['guest', { isRestricted: true }],
      ['lone-guest', { isUltraRestricted: true }],
      ['robot', { isBot: true }],
      ['left', { deleted: true }],
      ['stranger', { isStranger: true, teamId: 'T0ELSE' }],
      ['taken', {}],
    ] as const;
    stage.reviewers.people = people.map(([id]) => ({ personId: id, name: id, email: `${id}@example.com` }));
    stage.reviewers.people.push({ personId: 'unreachable', name: 'unreachable' });
    for (const [id, more] of people)
      slack.addUser({ id: `U0${id.toUpperCase()}`, name: id, email: `${id}@example.com`, ...more });
    await stage.db.query(
      `INSERT INTO slack_identity (team_id, user_id, person_id, person_name, linked_at)
       VALUES ($1, 'U0TAKEN', 'somebody', 'Somebody', 1)`,
      [slack.teamId],
    );
    const items = await propose();
    for (const { person, state, detail } of items) {
      if (person.id === 'unreachable') expect(state).toBe('no_address');
      // Slack finds no deactivated account and no bot by its address.
      else if (['left', 'robot'].includes(person.id)) expect(['not_found', 'refused']).toContain(state);
      else expect([person.id, state, typeof detail]).toEqual([person.id, 'refused', 'string']);
    }
    expect(slack.messages).toEqual([]);
    expect(await stage.db.query("SELECT 1 FROM audit_event WHERE action = 'slack.proposed'")).toEqual([]);
  });

  it('wait when Slack asks to, and lose nobody', async () => {
    slack.addUser({ id: 'U0BOB', name: 'bob.k', email: 'bob@example.com' });
    slack.script('chat.postMessage', { kind: 'rateLimited', retryAfter: 5 });
    const limited = await call('POST', '/api/v1/slack/proposals', 'oscar', {});
    expect(limited.statusCode).toBe(429);
    expect(limited.headers['retry-after']).toBe('5');
    expect(states(await propose())).toEqual(['Alice: proposed', 'Bob: proposed']);
    expect(slack.messages).toHaveLength(2);
  });

  it('are asked for ten people at a time', async () => {
    stage.reviewers.people = Array.from({ length: 25 }, (_, index) => ({
      personId: `p${String(index).padStart(2, '0')}`,
      name: `Person ${index}`,
      email: `p${index}@example.com`,
    }));
    let cursor: string | null = null;
    const seen: string[] = [];
    do {
      const order: object = cursor === null ? {} : { cursor };
      const page = JSON.parse(
        (await call('POST', '/api/v1/slack/proposals', 'oscar', order)).payload,
      ) as ProposalList;
      expect(page.items.length).toBeLessThanOrEqual(10);
      seen.push(...page.items.map(({ person }) => person.id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(stage.reviewers.people.map(({ personId }) => personId));
  });

  it('stand in the audit with who proposed which account to whom, and hold no link in the clear', async () => {
    await propose();
    const token = new URLSearchParams(linkIn(slack.messages[0]).split('?')[1]).get('token') ?? 'none';
    expect(await audited(stage.db, { action: 'slack.proposed' })).toMatchObject([
      {
        actor: 'user:oscar',
        subject: 'user:alice',
        data: { slackUserId: 'U0ALICE', slackUserName: 'alice.w' },
      },
    ]);
    for (const table of ['audit_event', 'slack_link_request', 'slack_proposal'])
      expect(JSON.stringify(await stage.db.query(`SELECT * FROM ${table}`))).not.toContain(token);
  });
});
