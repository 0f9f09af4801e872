import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Outbox } from '../../../src/outbound/outbox.js';
import { directMessage } from '../../../src/reviews/channels/slack/delivery/slack-kinds.js';
import { bindSlackPerson, unbindSlackPerson } from '../../../src/reviews/channels/slack/sql/identities.js';
import { eventually } from '../../support/eventually.js';
import type { FakeMessage } from '../../support/slack/fake-slack.js';
import type { UserChange } from '../../support/slack/people.js';
import { person } from '../stage.js';
import { ALICE, BOB, DeliveryStage, isLocked, seen } from './delivery-stage.js';

const SECOND = { id: 'U0ALICE2', name: 'alice.phone' };
const EVIDENCE = /config\.zip|Secrets found/;
const HOUR = 3_600_000;

let at: DeliveryStage;
beforeEach(async () => {
  at = await DeliveryStage.start();
  at.slack.addUser(SECOND);
});
afterEach(() => at.close());

const toAlice = { assign: { to: [{ user: 'alice' }] } };
const decide = (id: string, by = 'alice') =>
  at.reviews.act(id, { kind: 'decide', outcome: 'delete', reason: 'no use' }, person(by));
/** Tells Alice of a review that is not hers alone: of such a one she wants no mail as long as Slack tells her. */
const tellAlice = (reviewId: string) =>
  at.app
    .get(Outbox, { strict: false })
    .enqueue(at.stage.db, [directMessage(reviewId, 'alice', { kind: 'escalated', step: 1, loop: 0 })]);
const isMailed = async (reviewId: string): Promise<boolean> =>
  (
    await at.stage.db.query(
      `SELECT 1 FROM outbox WHERE kind = 'review.mail' AND payload->>'reviewId' = $1
        AND payload->>'email' = 'alice@example.com'`,
      [reviewId],
    )
  ).length > 0;
const account = ({ id: userId }: { readonly id: string }) => ({ teamId: at.slack.teamId, userId });
const bind = (user: { readonly id: string }, id: string) =>
  bindSlackPerson(at.stage.db, account(user), { id, name: id }, Math.round(at.stage.clock.now()));
const saidTo = (user: { readonly id: string }) => {
  const direct = [...at.slack.workspace.channels.values()].find(({ directWith }) => directWith === user.id);
  return at.slack.messages.filter(({ channel }) => channel === direct?.id);
};
const asked = (): number => at.slack.calls.filter(({ method }) => method === 'users.info').length;
const silence = () =>
  at.slack.script(
    'users.info',
    ...Array.from({ length: 60 }, () => ({ kind: 'status', status: 503 }) as const),
  );
const alicesIdentities = () =>
  at.stage.db.query<{ user_id: string }>(`SELECT user_id FROM slack_identity WHERE person_id = 'alice'`);

describe('a direct message about a review', () => {
  it.each<[string, UserChange]>([
    ['a guest', { isRestricted: true }],
    ['deactivated', { deleted: true }],
    ['a stranger', { isStranger: true, teamId: 'T0OTHER' }],
  ])('goes to no account that is %s, although nobody here heard of it; mail tells it', async (_, change) => {
    at.slack.workspace.changeUser(ALICE.id, change);
    const { id } = await at.open();
    await at.posted(id);
    expect(await isMailed(id)).toBe(false);
    await tellAlice(id);
    await eventually(() => isMailed(id), { what: 'a mail' });
    await at.quiet();
    expect(saidTo(ALICE)).toEqual([]);
    expect(await alicesIdentities()).toEqual([]);
  });

  it('waits while Slack does not say what the account is, and comes once it does', async () => {
    at.slack.script('users.info', { kind: 'status', status: 503 }, { kind: 'status', status: 503 });
    const { id } = await at.open(toAlice);
    await at.told(ALICE, id);
    expect(asked()).toBeGreaterThan(2);
    expect(saidTo(ALICE)).toHaveLength(1);
    expect(await alicesIdentities()).toHaveLength(1);
  });

  it('is told by mail where Slack goes on not to say it, and shows the account nothing', async () => {
    silence();
    const { id } = await at.open();
    await at.posted(id);
    await tellAlice(id);
    await eventually(() => isMailed(id), { what: 'a mail' });
    await at.quiet();
    expect(saidTo(ALICE)).toEqual([]);
    // She is none the less linked: Slack said nothing against it.
    expect(await alicesIdentities()).toHaveLength(1);
  });

  it('is not asked for again within five minutes', async () => {
    const first = await at.open(toAlice);
    await at.told(ALICE, first.id);
    at.run(10);
    const before = asked();
    const second = await at.open(toAlice);
    await at.told(ALICE, second.id);
    expect(asked()).toBe(before);
  });
});

describe('the copy of a review in direct messages', () => {
  it('shows nothing more to an account that became a guest, although nobody here heard of it', async () => {
    const { id } = await at.open(toAlice);
    const direct = await at.told(ALICE, id);
    expect(seen(direct)).toMatch(EVIDENCE);
    at.slack.workspace.changeUser(ALICE.id, { isUltraRestricted: true });
    at.stage.clock.advance(6 * 60_000);
    await decide(id);
    await eventually(() => isLocked(direct), { what: 'locked' });
    expect(seen(direct)).toMatch(/^This review is not shown to you any more/);
    expect(seen(direct)).not.toMatch(EVIDENCE);
  });

  it('is locked without evidence while Slack does not say what the account is', async () => {
    const { id } = await at.open(toAlice);
    const direct = await at.told(ALICE, id);
    await at.quiet();
    silence();
    at.stage.clock.advance(2 * HOUR);
    await decide(id);
    await eventually(() => isLocked(direct), { what: 'locked' });
    expect(seen(direct)).toMatch(/^Slack does not say just now/);
    expect(seen(direct)).not.toMatch(EVIDENCE);
    at.slack.behave();
    await at.quiet();
  });

  it('is no longer brought up to date in an account that its person changed for another', async () => {
    const { id } = await at.open(toAlice);
    const direct = await at.told(ALICE, id);
    await at.quiet();
    await unbindSlackPerson(at.stage.db, account(ALICE));
    await bind(SECOND, 'alice');
    await decide(id);
    await eventually(() => isLocked(direct), { what: 'locked' });
    expect(seen(direct)).toMatch(/^This review is not shown to you any more/);
    expect(seen(direct)).not.toMatch(EVIDENCE);
  });

  it('of an older release, which kept no account, is judged by when the account was linked', async () => {
    const reviews = [await at.open(toAlice), await at.open(toAlice)];
    const copies: FakeMessage[] = [];
    for (const { id } of reviews) copies.push(await at.told(ALICE, id));
    await at.quiet();
    await at.stage.db.query('UPDATE review_message SET slack_user_id = NULL');
    await decide(reviews[0]?.id ?? '');
    await eventually(() => copies[0] !== undefined && isLocked(copies[0]), { what: 'locked' });
    expect(copies.map(seen)[0]).toMatch(/decided by Alice/);
    await unbindSlackPerson(at.stage.db, account(ALICE));
    await bind(SECOND, 'alice');
    await decide(reviews[1]?.id ?? '');
    await eventually(() => copies[1] !== undefined && isLocked(copies[1]), { what: 'locked' });
    expect(copies.map(seen)[1]).toMatch(/^This review is not shown to you any more/);
  });

  it('is the new person’s when the account is linked to somebody else', async () => {
    const { id } = await at.open({ assign: { to: [{ user: 'alice' }, { user: 'bob' }] } });
    const direct = await at.told(ALICE, id);
    await at.told(BOB, id);
    await at.quiet();
    await unbindSlackPerson(at.stage.db, account(ALICE));
    await unbindSlackPerson(at.stage.db, account(BOB));
    await at.stage.reviews.act(id, { kind: 'claim' }, person('bob'));
    await bind(ALICE, 'bob');
    await at.app
      .get(Outbox, { strict: false })
      .enqueue(at.stage.db, [directMessage(id, 'bob', { kind: 'reminder', step: 1 })]);
    await eventually(() => at.thread(direct).length === 1, { what: 'a line in the thread' });
    await eventually(async () =>
      (await at.copies(id)).some(({ personId, userId }) => personId === 'bob' && userId === ALICE.id),
    );
    await decide(id, 'bob');
    await eventually(() => isLocked(direct), { what: 'locked' });
    expect(seen(direct)).toMatch(/decided by Bob/);
  });
});

describe('one message about many new reviews in direct messages', () => {
  it('shows nothing more to an account that became a guest', async () => {
    at.run(0);
    for (let n = 0; n < 20; n++)
      await at.open({ assign: { to: [{ user: 'alice' }], strategy: 'round_robin' } });
    at.run(100);
    const storm = () => saidTo(ALICE).find(({ text }) => /new reviews/.test(text));
    const message = await eventually(storm, { what: 'the message' });
    await at.quiet();
    at.slack.workspace.changeUser(ALICE.id, { isRestricted: true });
    at.stage.clock.advance(6 * 60_000);
    await at.stage.db.query('UPDATE slack_account SET checked_at = 0');
    const [told] = await at.stage.db.query<{ review_id: string }>('SELECT review_id FROM slack_storm_review');
    await decide(told?.review_id ?? '');
    at.run(1000);
    await eventually(() => /not shown to you any more/.test(seen(message)), {
      what: 'nothing shown',
      timeoutMs: 20_000,
    });
    expect(seen(message)).not.toMatch(EVIDENCE);
  });
});
