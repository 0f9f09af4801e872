import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { buttonsOf, textOf, type FakeMessage, type FakeUser } from '../../support/slack/fake-slack.js';
import { person } from '../stage.js';
import { alice, answeringStage, bob, type AnsweringStage } from './answering-stage.js';

describe('what can be done with a review in Slack beside deciding it', () => {
  let stage: AnsweringStage;
  beforeEach(async () => {
    stage = await answeringStage();
  });
  afterEach(() => stage.end());

  const labels = ({ blocks }: FakeMessage) => buttonsOf(blocks).map((button) => textOf(button));
  /** Opens the list, and goes on to the form of one. */
  const more = async (message: FakeMessage, act: string, user: FakeUser) => {
    // What was done is said in a window, which is closed first.
    if (stage.slack.views.has(user.id)) await stage.slack.closeView(user);
    await stage.slack.click(message, 'review.more', user);
    await stage.modal(user);
    return stage.slack.submit(user, { choice: { text: act } });
  };
  const field = (text: string | number) => ({ text });
  const options = (user: FakeUser): string[] =>
    ((stage.slack.views.get(user.id)?.['blocks'] ?? []) as Record<string, unknown>[]).flatMap((block) => {
      const element = block['element'] as { options?: { value: string }[] } | undefined;
      return (element?.options ?? []).map(({ value }) => value);
    });
  const said = (ack: Record<string, unknown>): string => textOf(ack['view']);

  it('is taken and given back, and only by who has it', async () => {
    const { id, message } = await stage.ask();
    await stage.slack.click(message, 'review.claim', alice);
    expect(await stage.whispered(alice)).toMatch(/yours now/);
    await eventually(() => labels(message).includes('Give back'));
    expect(labels(message)).not.toContain('Claim');
    await stage.slack.click(message, 'review.release', bob);
    expect(await stage.whispered(bob)).toMatch(/Alice claimed this review/);
    await stage.slack.click(message, 'review.release', alice);
    expect(await stage.whispered(alice)).toMatch(/Given back: anybody/);
    await eventually(() => labels(message).includes('Claim'));
    expect((await stage.review(id)).state).toBe('OPEN');
  });

  it('is given to somebody else, who is one of those that may decide', async () => {
    const { id, message } = await stage.ask();
    await more(message, 'reassign', alice);
    expect(options(alice)).toEqual(['alice', 'bob']);
    const done = await stage.slack.submit(alice, { to: field('bob'), reason: field('you know it') });
    expect(said(done)).toMatch(/It is Bob’s now/);
    expect(await stage.review(id)).toMatchObject({ state: 'ASSIGNED', claim: { by: { id: 'bob' } } });
    await eventually(() => textOf(message.blocks).includes('Given to *Bob*'));

    await stage.slack.click(message, 'review.claim', bob);
    await eventually(async () => (await stage.review(id)).state === 'CLAIMED');
    await more(message, 'delegate', bob);
    await stage.slack.submit(bob, { to: field('alice') });
    expect(await stage.review(id)).toMatchObject({ claim: { by: { id: 'alice' } }, owner: { id: 'bob' } });
  });

  it('names whom to give it to by login where there are too many for a menu, and nobody else', async () => {
    stage.reviewers.people = [
      ...stage.reviewers.people,
      ...Array.from({ length: 120 }, (_, n) => ({
        personId: `p${n}`,
        login: `login${n}`,
        name: `Person ${n}`,
      })),
      { personId: 'carol', login: 'carol', name: 'Carol', queues: ['elsewhere'] },
    ];
    const { id, message } = await stage.ask();
    await more(message, 'reassign', alice);
    for (const nobody of ['carol', 'nobody', ' '])
      expect(await stage.slack.submit(alice, { to: field(nobody) })).toMatchObject({
        response_action: 'errors',
        errors: { to: expect.any(String) },
      });
    await stage.slack.submit(alice, { to: field('login7') });
    expect((await stage.review(id)).claim?.by.id).toBe('p7');
  });

  it('is put on hold until a time that is to come, and goes on at a click', async () => {
    const { id, message } = await stage.ask();
    const now = Math.floor(stage.clock.now() / 1000);
    await more(message, 'hold', alice);
    expect(await stage.slack.submit(alice, { until: field(now - 60) })).toMatchObject({
      response_action: 'errors',
      errors: { until: expect.stringMatching(/must be after now, \d{4}-\d\d-\d\d \d\d:\d\d UTC/) },
    });
    await stage.slack.submit(alice, { until: field(now + 86_400 * 30), reason: field('the owner is away') });
    expect((await stage.review(id)).state).toBe('ON_HOLD');
    await eventually(() => textOf(message.blocks).includes('On hold until'));
    expect(textOf(message.blocks)).toContain('the owner is away');
    await stage.slack.click(message, 'review.resume', bob);
    expect(await stage.whispered(bob)).toMatch(/goes on/);
    expect((await stage.review(id)).state).toBe('OPEN');
  });

  it('asks back, waits for the answer and gets it', async () => {
    const { id, message } = await stage.ask();
    await more(message, 'ask', alice);
    expect(said(await stage.slack.submit(alice, { question: field('Whose is it?') }))).toMatch(/waits/);
    await eventually(() => textOf(message.blocks).includes('Alice asks “Whose is it?”'));
    await more(message, 'answer', bob);
    expect(await stage.modal(bob)).toContain('Whose is it?');
    await stage.slack.submit(bob, { text: field('the test team’s') });
    expect(await stage.review(id)).toMatchObject({ state: 'OPEN', info: undefined });
  });

  it('asks back somebody by name, says who is told of it, and mails it to them', async () => {
    stage.reviewers.people = [
      { personId: 'alice', name: 'Alice', login: 'alice' },
      { personId: 'bob', name: 'Bob', login: 'bob', email: 'bob@example.com' },
    ];
    const { message } = await stage.ask();
    await more(message, 'ask', alice);
    const done = said(await stage.slack.submit(alice, { question: field('@bob or @carol: yours?') }));
    expect(done).toContain('Told by mail: bob.');
    expect(done).toContain('Nobody of that name may see it: carol.');
    const told = await stage.db.query(
      `SELECT payload->>'personId' AS to, payload#>>'{news,text}' AS text FROM outbox WHERE kind = 'review.news'`,
    );
    expect(told).toEqual([{ to: 'bob', text: '@bob or @carol: yours?' }]);
  });

  it('asks the uploader by mail, and offers it only where somebody can be asked', async () => {
    const { message } = await stage.ask();
    await stage.slack.click(message, 'review.more', alice);
    await stage.modal(alice);
    expect(options(alice)).toContain('ask');
    expect(options(alice)).not.toContain('ask_uploader');
    await stage.slack.closeView(alice);
    const { object } = stage.evidence.subject;
    stage.evidence.subject = {
      ...stage.evidence.subject,
      ...(object && { object: { ...object, uploader: 'bob' } }),
    };
    const known = await stage.ask({ uploader: 'bob@example.com' });
    await more(known.message, 'ask_uploader', alice);
    expect(said(await stage.slack.submit(alice, { question: field('What is it?') }))).toMatch(/on its way/);
    expect((await stage.review(known.id)).info).toMatchObject({
      question: 'What is it?',
      by: { id: 'alice' },
    });
    const asked = await stage.db.query('SELECT email FROM uploader_question');
    expect(asked).toEqual([{ email: 'bob@example.com' }]);
  });

  it('takes a comment, a new deadline and a vote back', async () => {
    const { id, message } = await stage.ask({ quorum: { approve: 2 }, deadline: '4h' });
    await more(message, 'comment', alice);
    await stage.slack.submit(alice, { text: field('looks like a test key') });
    const comments = await stage.db.query<{ text: string; author: string }>(
      'SELECT text, author_id AS author FROM review_comment WHERE review_id = $1',
      [id],
    );
    expect(comments).toEqual([{ text: 'looks like a test key', author: 'alice' }]);

    const due = Math.floor(stage.clock.now() / 1000) + 86_400 * 3;
    await more(message, 'postpone', alice);
    await stage.slack.submit(alice, { dueAt: field(due) });
    expect((await stage.review(id)).dueAt).toBe(due * 1000);
    await stage.slack.closeView(alice);

    await stage.slack.click(message, 'review.decide:release', alice);
    await stage.modal(alice);
    await stage.slack.submit(alice, { reason: field('fine') });
    await eventually(() => textOf(message.blocks).includes('Release 1 of 2 (Alice)'));
    await more(message, 'withdraw', alice);
    expect((await stage.review(id)).votes).toEqual([]);
    await eventually(() => textOf(message.blocks).includes('Release 0 of 2'));
    await stage.slack.click(message, 'review.more', bob);
    await stage.modal(bob);
    expect(options(bob)).not.toContain('withdraw');
  });

  it('is left out with a reason, and the workflow goes on unanswered', async () => {
    const { id, message } = await stage.ask();
    await more(message, 'skip', alice);
    expect(await stage.slack.submit(alice, { reason: field(' ') })).toMatchObject({
      response_action: 'errors',
    });
    await stage.slack.submit(alice, { reason: field('asked twice') });
    expect((await stage.review(id)).state).toBe('SKIPPED');
    await eventually(() => labels(message).join() === 'Open');
    await stage.slack.click({ ...message, blocks: [actions(id)] }, 'review.more', bob);
    expect(await stage.whispered(bob)).toMatch(/Alice already chose “Skip”/);
  });

  it('tells whoever may not, before they write anything, and says whom four eyes keep out', async () => {
    const { message } = await stage.ask({ requester: 'alice', fourEyes: ['requester'] });
    expect(textOf(message.blocks)).toContain('Alice may not decide: they asked for it');
    const refused = await more(message, 'skip', alice);
    expect(said(refused)).toMatch(/four eyes/);
    await stage.slack.click(message, 'review.decide:release', alice);
    expect(await stage.whispered(alice)).toMatch(/four eyes/);
    // Nobody is offered a person whom four eyes keep out.
    await more(message, 'reassign', bob);
    expect(options(bob)).toEqual(['bob']);
  });

  it('shows those who have no grant for its queue nothing more', async () => {
    const carol = { id: 'U0CAROL', name: 'carol' };
    stage.reviewers.people = [
      ...stage.reviewers.people,
      { personId: 'carol', name: 'Carol', queues: ['legal'] },
    ];
    await stage.bind(carol, 'carol');
    const { message } = await stage.ask();
    await stage.slack.click(message, 'review.more', carol);
    expect(await stage.whispered(carol)).toMatch(/in the queue default, which you have no grant for/);
    expect(stage.slack.views.has(carol.id)).toBe(false);
  });

  it('changes nothing for a form of another release, nor for one whose review ended meanwhile', async () => {
    const { id, message } = await stage.ask();
    await more(message, 'ask', alice);
    await stage.reviews.act(id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    expect(said(await stage.slack.submit(alice, { question: field('why?') }))).toMatch(/Bob already chose/);
    const strange = await stage.slack.deliver({
      type: 'view_submission',
      team: { id: stage.slack.teamId },
      user: { id: alice.id, team_id: stage.slack.teamId },
      view: { callback_id: 'review.act', private_metadata: '{"x":1}', state: { values: {} } },
    });
    expect(said(strange)).toMatch(/too old/);
  });
});

const actions = (id: string): Record<string, unknown> => ({
  type: 'actions',
  block_id: 'old',
  elements: [{ type: 'button', action_id: 'review.more', value: `${id}.${'a'.repeat(64)}` }],
});
