import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Outbox } from '../../../src/outbound/outbox.js';
import { directMessage } from '../../../src/reviews/channels/slack/delivery/slack-kinds.js';
import { bindSlackPerson, unbindSlackPerson } from '../../../src/reviews/channels/slack/sql/identities.js';
import { addToStorm, insertStorm } from '../../../src/reviews/channels/slack/sql/storms.js';
import { eventually } from '../../support/eventually.js';
import { linksIn, type FakeMessage } from '../../support/slack/fake-slack.js';
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
  const aboutMany = () => saidTo(ALICE).filter(({ text }) => /new reviews/.test(text));
  const given = (queue: string) => ({
    queue,
    assign: { to: [{ user: 'alice' }], strategy: 'round_robin' },
  });
  /** Opens as many in each queue while nothing is delivered. */
  async function openMany(queues: readonly string[], ofEach: number): Promise<string[]> {
    at.run(0);
    const ids: string[] = [];
    for (const queue of queues) for (let n = 0; n < ofEach; n++) ids.push((await at.open(given(queue))).id);
    return ids;
  }
  async function told(queues: readonly string[], ofEach: number): Promise<FakeMessage> {
    await openMany(queues, ofEach);
    at.run(100);
    const message = await eventually(() => aboutMany()[0], { what: 'the message' });
    await at.quiet();
    return message;
  }
  const mayDecideIn = (queues: readonly string[] | undefined) => {
    at.stage.reviewers.people = at.stage.reviewers.people.flatMap((one) =>
      one.personId !== 'alice' ? [one] : queues === undefined ? [] : [{ ...one, queues }],
    );
  };
  /** One that the message tells of changes. */
  async function change(): Promise<void> {
    const [one] = await at.stage.db.query<{ review_id: string }>(
      `SELECT m.review_id FROM slack_storm_review m JOIN slack_storm s ON s.id = m.storm_id
        WHERE s.person_id = 'alice'`,
    );
    await at.reviews.act(
      one?.review_id ?? '',
      { kind: 'decide', outcome: 'delete', reason: '' },
      person('boss', { isAdmin: true }),
    );
    at.run(1000);
  }
  const showsNothing = (message: FakeMessage) =>
    eventually(() => /not shown to you any more/.test(seen(message)), {
      what: 'nothing shown',
      timeoutMs: 20_000,
    });

  it('shows nothing more to an account that became a guest', async () => {
    const message = await told(['default'], 20);
    at.slack.workspace.changeUser(ALICE.id, { isRestricted: true });
    at.stage.clock.advance(6 * 60_000);
    await at.stage.db.query('UPDATE slack_account SET checked_at = 0');
    await change();
    await showsNothing(message);
    expect(seen(message)).not.toMatch(EVIDENCE);
  });

  it.each([
    ['may decide in another queue alone by now', ['other']],
    ['is no reviewer any more', undefined],
  ])('shows nothing more to somebody who %s', async (_, queues) => {
    const message = await told(['default'], 20);
    expect(seen(message)).toMatch(EVIDENCE);
    mayDecideIn(queues);
    await change();
    await showsNothing(message);
    expect(seen(message)).not.toMatch(EVIDENCE);
    expect(linksIn(message)).toEqual([]);
  });

  it('tells of the queues alone in which somebody may still decide', async () => {
    const message = await told(['default', 'payments'], 12);
    const inStorm = await at.stage.db.query<{ queue: string; id: string }>(
      `SELECT r.queue, r.id FROM slack_storm_review m JOIN slack_storm s ON s.id = m.storm_id
         JOIN review r ON r.id = m.review_id WHERE s.person_id = 'alice'`,
    );
    const left = inStorm.filter(({ queue }) => queue === 'payments');
    mayDecideIn(['payments']);
    await change();
    await eventually(() => message.text.startsWith(`${left.length} new review`), {
      what: 'fewer',
      timeoutMs: 20_000,
    });
    const links = linksIn(message);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !left.some(({ id }) => link.endsWith(id)))).toEqual([]);
  });

  it('is not posted, nor mailed, once nothing of it is theirs to decide', async () => {
    const ids = await openMany(['default'], 20);
    const direct = at.slack.workspace.directWith(ALICE.id);
    await at.stage.db.transaction(async (tx) => {
      const id = randomUUID();
      const now = Math.round(at.stage.clock.now());
      await insertStorm(tx, { id, channel: direct.id, personId: 'alice', userId: ALICE.id, at: now });
      for (const review of ids) await addToStorm(tx, id, review);
      await tx.query(`DELETE FROM outbox WHERE kind IN ('slack.direct', 'review.mail')`);
      const outbox = at.app.get(Outbox, { strict: false });
      const payload = { stormId: id, what: 'post' };
      await outbox.enqueue(tx, [{ kind: 'slack.storm', key: `${id}:post`, payload }]);
    });
    mayDecideIn(['other']);
    at.run(100);
    await eventually(async () => (await stormsOfAlice()).length === 0, { what: 'given up' });
    expect(aboutMany()).toEqual([]);
    const mails = await at.stage.db.query(
      `SELECT 1 FROM outbox WHERE kind = 'review.mail' AND payload->>'email' = 'alice@example.com'`,
    );
    expect(mails).toEqual([]);
  });
  const stormsOfAlice = () => at.stage.db.query(`SELECT 1 FROM slack_storm WHERE person_id = 'alice'`);
});
