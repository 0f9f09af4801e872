import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReviewComments } from '../../../src/reviews/comments/comments.service.js';
import { ReviewWriter, SYSTEM } from '../../../src/reviews/review-writer.js';
import { bindSlackPerson, unbindSlackPerson } from '../../../src/reviews/channels/slack/sql/identities.js';
import { eventually } from '../../support/eventually.js';
import { linksIn, mentionsIn, textOf, type FakeMessage } from '../../support/slack/fake-slack.js';
import { person } from '../stage.js';
import { ALICE, BOB, DeliveryStage, MALLORY, seen } from './delivery-stage.js';

let at: DeliveryStage;
let id: string;
let root: FakeMessage;
beforeEach(async () => {
  at = await DeliveryStage.start();
  ({ id } = await at.open());
  root = await at.posted(id);
  // Known as that of the review by then.
  await at.quiet();
});
afterEach(() => at.close());

const comments = () => at.app.get(ReviewComments, { strict: false });
const kept = async () =>
  at.stage.db.query<{ author_id: string; text: string; version: number }>(
    'SELECT author_id, text, version FROM review_comment ORDER BY created_at, id',
  );
const said = () => at.thread(root).filter(({ botId }) => botId !== undefined);

describe('the thread of a review', () => {
  it('is told what people write elsewhere, as text by name', async () => {
    await comments().add(
      await at.reviews.get(id),
      'See <https://evil.example|this> & ask @bob\n<!channel> *now*',
      person('bob'),
    );
    await eventually(() => said().length === 1);
    const [line] = said() as [FakeMessage];
    expect(seen(line)).toContain('*Bob* wrote:');
    expect(mentionsIn(line)).toEqual([]);
    expect(linksIn(line)).toEqual([]);
    expect(line.isBroadcast ?? false).toBe(false);
  });

  it('is told reminders and escalations, and the channel too when a deadline passed', async () => {
    const writer = at.app.get(ReviewWriter, { strict: false });
    const dueAt = new Date(at.stage.clock.now()).toISOString();
    for (const [kind, data] of [
      ['reminded', { reminder: 1 }],
      ['breached', { dueAt }],
      ['claimed', {}],
    ] as const)
      await writer.note(at.stage.db, id, kind, SYSTEM, at.stage.clock.now(), data);
    await eventually(() => said().length === 2);
    expect(said().map((line) => [line.text.slice(0, 10), line.isBroadcast ?? false])).toEqual([
      ['Still wait', false],
      ['*Overdue*:', true],
    ]);
  });

  it('is told what was written while its message was under way, also of a review that is over by then', async () => {
    at.slack.script('chat.postMessage', { kind: 'slow', ms: 400 });
    const second = await at.open();
    await eventually(() => at.inChannel(second.id), { what: 'what Slack did and has not answered yet' });
    await comments().add(await at.reviews.get(second.id), 'Be quick.', person('bob'));
    await at.reviews.act(second.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    const message = await at.posted(second.id);
    await eventually(() => at.thread(message).length === 1, { what: 'the line' });
  });

  it('makes comments of replies: once, changed and removed as there, and never said back', async () => {
    const reply = await at.slack.reply(root, 'looks like our test file', ALICE);
    await eventually(async () => (await kept()).length === 1);
    for (const event of at.slack.events) await at.slack.repeat(event);
    expect(await kept()).toMatchObject([{ author_id: 'alice', text: 'looks like our test file' }]);
    expect((await at.kinds(id)).filter((kind) => kind === 'commented')).toHaveLength(1);

    await at.slack.editReply(reply, 'it is <our> test file');
    await eventually(async () => (await kept())[0]?.text === 'it is <our> test file');
    await at.slack.deleteReply(reply);
    await eventually(async () => (await kept())[0]?.text === '(removed in Slack)');
    await at.quiet();
    expect(said()).toEqual([]);
    expect(await kept()).toHaveLength(1);
    // What it said last and who said it is Alice's; that it is gone is nobody's act, since Slack does not say whose.
    const changes = await at.stage.db.query<{ actor: string }>(
      `SELECT actor FROM review_event WHERE review_id = $1 AND kind = 'comment_edited' ORDER BY id`,
      [id],
    );
    expect(changes.map(({ actor }) => actor)).toEqual(['alice', 'slack']);
  });

  it('lets nobody change a comment by a reply but its author, as whom the account still has to speak', async () => {
    const { db, reviewers } = at.stage;
    const account = { teamId: at.slack.teamId, userId: ALICE.id };
    const reply = await at.slack.reply(root, 'I say no', ALICE);
    await eventually(async () => (await kept()).length === 1);
    const everybody = reviewers.people;
    const cases: [string, () => unknown][] = [
      ['bound to another', () => bindSlackPerson(db, account, { id: 'bob', name: 'Bob' }, 2)],
      ['unlinked', () => unbindSlackPerson(db, account)],
      [
        'disabled here',
        async () => {
          await bindSlackPerson(db, account, { id: 'alice', name: 'Alice' }, 3);
          reviewers.people = everybody.filter(({ personId }) => personId !== 'alice');
        },
      ],
      [
        'without a grant for the queue',
        () => (reviewers.people = everybody.map((one) => ({ ...one, queues: ['elsewhere'] }))),
      ],
      [
        'a guest',
        async () => {
          reviewers.people = everybody;
          await at.slack.changeUser(ALICE.id, { isRestricted: true });
        },
      ],
    ];
    for (const [what, happens] of cases) {
      await happens();
      await at.slack.editReply(reply, `changed: ${what}`);
      expect(at.slack.events.at(-1)?.acknowledged, what).toBe(true);
      expect(await kept(), what).toMatchObject([{ author_id: 'alice', text: 'I say no', version: 1 }]);
    }
    // Gone there it goes here all the same, and in nobody's name.
    await at.slack.deleteReply(reply);
    await eventually(async () => (await kept())[0]?.text === '(removed in Slack)');
    const [event] = await db.query(
      `SELECT actor FROM review_event WHERE review_id = $1 AND kind = 'comment_edited'`,
      [id],
    );
    expect(event).toMatchObject({ actor: 'slack' });
    const audit = await db.query(
      `SELECT actor, data ->> 'via' AS via FROM audit_event WHERE action = 'review.comment_edited'`,
    );
    expect(audit).toEqual([{ actor: 'system:slack', via: 'slack' }]);
  });

  it('tells the channel what somebody wrote in their direct messages', async () => {
    const second = await at.open({ assign: { to: [{ user: 'alice' }] } });
    const [message, direct] = [await at.posted(second.id), await at.told(ALICE, second.id)];
    // Slack shows them a moment before they are known here.
    await eventually(async () => {
      const copies = await at.stage.db.query('SELECT 1 FROM review_message WHERE review_id = $1', [
        second.id,
      ]);
      return copies.length === 2;
    });
    await at.slack.reply(direct, 'mine to look at', ALICE);
    await eventually(() => at.thread(message).length === 1);
    expect(seen(at.thread(message)[0] as FakeMessage)).toContain('*Alice* wrote:\n> mine to look at');
    expect(at.thread(direct).filter(({ botId }) => botId !== undefined)).toEqual([]);
  });

  it('keeps nothing of who is bound to nobody, and offers them a link', async () => {
    await at.slack.reply(root, 'let me in', MALLORY);
    const whisper = await eventually(() => at.slack.whispers.at(-1));
    expect(whisper).toMatchObject({ user: MALLORY.id, threadTs: root.ts });
    const shown = textOf(whisper.blocks);
    for (const words of [whisper.text, shown])
      expect(words).toMatch(/your reply was not kept with the review/);
    expect(shown).toMatch(/Link it once.*then write it again/);
    expect(shown).not.toMatch(/decided|click/);
    expect(await kept()).toEqual([]);
  });

  it('keeps nothing of who may not see the queue', async () => {
    at.stage.reviewers.people = at.stage.reviewers.people.map((one) =>
      one.personId === 'bob' ? { ...one, queues: ['elsewhere'] } : one,
    );
    await at.slack.reply(root, 'hello', BOB);
    const whisper = await eventually(() => at.slack.whispers.at(-1));
    expect(whisper.text).toMatch(/may not see/);
    expect(await kept()).toEqual([]);
  });

  it('hears nothing of machines, of our own app, and of what stands outside of it', async () => {
    await at.slack.write(root.channel, 'outside', ALICE);
    const ours = at.slack.workspace.post(at.slack.workspace.channels.get(root.channel) ?? raise(), {
      text: 'ours',
      blocks: [],
      threadTs: root.ts,
    });
    await at.slack.editReply(ours, 'ours, changed');
    await at.slack.reply(root, 'the last', ALICE);
    await eventually(async () => (await kept()).length > 0);
    expect(await kept()).toMatchObject([{ text: 'the last' }]);
  });
});

const raise = (): never => {
  throw new Error('no such channel');
};
