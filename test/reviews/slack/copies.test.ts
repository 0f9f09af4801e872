import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { buttonsOf } from '../../support/slack/fake-slack.js';
import { person } from '../stage.js';
import { ALICE, BOB, DeliveryStage, isLocked, seen } from './delivery-stage.js';

let at: DeliveryStage;
beforeEach(async () => {
  at = await DeliveryStage.start();
});
afterEach(() => at.close());

const decide = (id: string, by = 'bob') =>
  at.reviews.act(id, { kind: 'decide', outcome: 'delete', reason: 'no use' }, person(by));
/** The messages of a place without those of threads. */
const roots = (channel: string) =>
  at.slack.messages.filter((one) => one.channel === channel && one.threadTs === undefined);
const toAlice = { assign: { to: [{ user: 'alice' }] } };

describe('the copies of a review in Slack', () => {
  it('are one in the channel and one for whoever is asked by name, and all are locked wherever it was decided', async () => {
    const { id } = await at.open({ assign: { to: [{ user: 'alice' }, { user: 'bob' }] } });
    const copies = [await at.posted(id), await at.told(ALICE, id), await at.told(BOB, id)];
    for (const copy of copies) expect(isLocked(copy)).toBe(false);
    expect(copies[1]?.text).toMatch(/^You are asked to decide\./);
    await decide(id);
    await eventually(() => copies.every(isLocked), { what: 'all copies locked' });
    for (const copy of copies) expect(seen(copy)).toMatch(/Delete: decided by Bob/);
    expect(await at.copies(id)).toHaveLength(3);
  });

  it('are no direct messages to those who are asked as a group, nor to who is not bound', async () => {
    const { id } = await at.open();
    await at.posted(id);
    await at.quiet();
    expect(await at.copies(id)).toHaveLength(1);
    at.stage.reviewers.people = [...at.stage.reviewers.people, { personId: 'carol', name: 'Carol' }];
    const second = await at.open({ assign: { to: [{ user: 'carol' }] } });
    await at.posted(second.id);
    await at.quiet();
    expect(await at.copies(second.id)).toHaveLength(1);
  });

  it('tell whom a review is given to, and whoever had it before who has it now', async () => {
    const { id } = await at.open();
    await at.posted(id);
    const give = (to: string) =>
      at.reviews.act(
        id,
        { kind: 'reassign', to: { id: to.toLowerCase(), name: to }, reason: '' },
        person('boss', { isAdmin: true }),
      );
    await give('Alice');
    const first = await at.told(ALICE, id);
    expect(first.text).toMatch(/^Boss gave this review to you\./);
    await give('Bob');
    const second = await at.told(BOB, id);
    await eventually(() => seen(first).includes('*Bob* has it now'));
    expect(isLocked(first)).toBe(true);
    expect(isLocked(second)).toBe(false);
    await give('Alice');
    await eventually(() => !isLocked(first) && isLocked(second), { what: 'the copies changed places' });
    await eventually(() => at.thread(first).length === 1);
    expect(at.thread(first)[0]?.text).toBe('Boss gave this review to you.');
  });

  it('tell nothing more to whoever may not decide there any more', async () => {
    const { id } = await at.open({ assign: { to: [{ user: 'alice' }, { user: 'bob' }] } });
    const [message, direct] = [await at.posted(id), await at.told(ALICE, id)];
    at.stage.reviewers.people = at.stage.reviewers.people.filter(({ personId }) => personId !== 'alice');
    await decide(id);
    await eventually(() => isLocked(message) && isLocked(direct));
    expect(seen(message)).toContain('decided by Bob');
    expect(seen(direct)).toMatch(/^This review is not shown to you any more/);
    expect(seen(direct)).not.toMatch(/Bob|config\.zip/);
  });

  it('are each brought up to date although another one cannot be', async () => {
    const { id } = await at.open(toAlice);
    const [message, direct] = [await at.posted(id), await at.told(ALICE, id)];
    at.slack.workspace.remove(direct);
    await decide(id, 'alice');
    await eventually(() => isLocked(message));
    await at.quiet();
    // What somebody removed is forgotten.
    expect(await at.copies(id)).toMatchObject([{ channel: message.channel }]);
    const failed = await at.stage.db.query(`SELECT 1 FROM outbox WHERE state = 'failed'`);
    expect(failed).toEqual([]);
  });

  it('never go back to an older state', async () => {
    const { id } = await at.open();
    const message = await at.posted(id);
    await at.quiet();
    at.slack.script('chat.update', { kind: 'status', status: 503 }, { kind: 'rateLimited', retryAfter: 20 });
    await at.reviews.act(id, { kind: 'claim' }, person('bob'));
    await at.reviews.act(id, { kind: 'release' }, person('bob'));
    await decide(id);
    await eventually(() => isLocked(message));
    await at.quiet();
    expect(isLocked(message)).toBe(true);
    const [copy] = await at.copies(id);
    expect(copy?.shown).toBe((await at.reviews.get(id)).version);
    // The states in between were shown together with the last.
    expect(message.updates).toBe(1);
  });

  it('show what happened while the message was under way', async () => {
    at.slack.script('chat.postMessage', { kind: 'slow', ms: 300 });
    const { id } = await at.open();
    await eventually(() => at.slack.calls.some(({ method }) => method === 'chat.postMessage'));
    await decide(id);
    const message = await at.posted(id);
    await eventually(() => isLocked(message));
  });

  it('are the least that can be said where Slack does not take the whole', async () => {
    at.slack.script('chat.postMessage', { kind: 'error', error: 'msg_blocks_too_long' });
    const { id } = await at.open();
    const message = await at.posted(id);
    expect(message.text).toMatch(/Secrets found – a decision is needed/);
    expect(buttonsOf(message.blocks)).toHaveLength(1);
  });

  it('are posted anew where the old one belongs to an app that is no more', async () => {
    const { id } = await at.open();
    const first = await at.posted(id);
    at.slack.script('chat.update', { kind: 'error', error: 'cant_update_message' });
    await at.reviews.act(id, { kind: 'claim' }, person('bob'));
    await eventually(() => roots(first.channel).length === 2);
    await at.quiet();
    const [copy] = await at.copies(id);
    expect(copy?.ts).toBe(roots(first.channel)[1]?.ts);
  });

  it('say below it who decided where Slack lets nobody change the message any more', async () => {
    const { id } = await at.open(toAlice);
    const copies = [await at.posted(id), await at.told(ALICE, id)];
    await at.quiet();
    const refused = { kind: 'error', error: 'edit_window_closed' } as const;
    at.slack.script('chat.update', refused, refused);
    await decide(id, 'alice');
    await eventually(() => copies.every((copy) => at.thread(copy).length === 1), {
      what: 'a line below each',
    });
    for (const copy of copies) expect(at.thread(copy).map(seen)[0]).toMatch(/Delete: decided by Alice/);
    await at.quiet();
    expect(at.slack.messages.filter(({ threadTs }) => threadTs === undefined)).toEqual(copies);
    expect(await at.copies(id)).toEqual([]);
  });

  it('say it once although the answer was lost', async () => {
    const { id } = await at.open();
    const message = await at.posted(id);
    await at.quiet();
    const refused = { kind: 'error', error: 'edit_window_closed' } as const;
    at.slack.script('chat.update', refused, refused);
    at.slack.script('chat.postMessage', { kind: 'lose' });
    await decide(id);
    await eventually(async () => (await at.copies(id)).length === 0, { what: 'the copy is forgotten' });
    expect(at.thread(message)).toHaveLength(1);
  });

  it('are followed by a fresh message while the review waits, and that is kept up to date', async () => {
    const { id } = await at.open(toAlice);
    const copies = [await at.posted(id), await at.told(ALICE, id)];
    await at.quiet();
    const refused = { kind: 'error', error: 'edit_window_closed' } as const;
    at.slack.script('chat.update', refused, refused);
    await at.reviews.act(id, { kind: 'claim' }, person('alice'));
    await eventually(() => copies.every(({ channel }) => roots(channel).length === 2), {
      what: 'fresh ones',
    });
    for (const copy of copies) expect(at.thread(copy).map(seen)[0]).toMatch(/a newer one follows/);
    await at.quiet();
    await decide(id, 'alice');
    await eventually(() => copies.every(({ channel }) => isLocked(roots(channel)[1]!)), { what: 'locked' });
    expect(await at.copies(id)).toHaveLength(2);
  });

  it('are posted anew while the review waits where somebody removed them from the channel', async () => {
    const { id } = await at.open();
    const first = await at.posted(id);
    await at.quiet();
    at.slack.workspace.remove(first);
    await at.reviews.act(id, { kind: 'claim' }, person('bob'));
    const second = await at.posted(id);
    await at.quiet();
    expect(await at.copies(id)).toMatchObject([{ ts: second.ts }]);
  });

  it('are told once to a person although the answer was lost', async () => {
    at.slack.script('chat.postMessage', { kind: 'lose' }, { kind: 'lose' });
    const { id } = await at.open(toAlice);
    await at.posted(id);
    await at.told(ALICE, id);
    await at.quiet();
    expect(at.slack.messages).toHaveLength(2);
    expect(await at.copies(id)).toHaveLength(2);
  });

  it('are locked although they were decided before a lost answer was looked for', async () => {
    at.slack.script('chat.postMessage', { kind: 'lose' }, { kind: 'lose' });
    const { id } = await at.open(toAlice);
    await eventually(() => at.inChannel(id) !== undefined && at.directTo(ALICE, id) !== undefined);
    await decide(id, 'alice');
    const copies = [await at.posted(id), await at.told(ALICE, id)];
    await eventually(() => copies.every(isLocked), { what: 'all copies locked' });
  });

  it('wait for their channel alone: who is slow keeps no other waiting', async () => {
    at.slack.addChannel({ id: 'C0OTHER', name: 'other' });
    await at.stage.db.query(
      `INSERT INTO slack_pace (name, next_at) VALUES ('post:C0REVIEWS', $1::bigint + 3600000)`,
      [at.stage.clock.now()],
    );
    const slow = await at.open(toAlice);
    const direct = await at.told(ALICE, slow.id);
    expect(at.inChannel(slow.id)).toBeUndefined();
    await decide(slow.id, 'alice');
    await eventually(() => isLocked(direct));
  });
});
