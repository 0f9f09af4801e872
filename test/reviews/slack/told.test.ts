import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { linksIn, mentionsIn, textOf } from '../../support/slack/fake-slack.js';
import { person } from '../stage.js';
import { ALICE, BOB, DeliveryStage, isLocked, seen } from './delivery-stage.js';

const HOSTILE = 'see <https://evil.example|this>\n<!channel> *now*';

let at: DeliveryStage;
beforeEach(async () => {
  at = await DeliveryStage.start();
});
afterEach(() => at.close());

const give = (id: string, to: string, reason: string) =>
  at.reviews.act(
    id,
    { kind: 'reassign', to: { id: to.toLowerCase(), name: to }, reason },
    person('boss', { isAdmin: true }),
  );
const mails = (reviewId: string) =>
  at.stage.db.query<{ payload: { personId: string; telling: Record<string, unknown> } }>(
    `SELECT payload FROM outbox WHERE kind = 'review.mail' AND payload->>'reviewId' = $1 ORDER BY id`,
    [reviewId],
  );

describe('whoever is told of a review in Slack', () => {
  it('hears from whom they have it and why, above the review and as long as it waits', async () => {
    const { id } = await at.open();
    await at.posted(id);
    await give(id, 'Alice', HOSTILE);
    const direct = await at.told(ALICE, id);
    expect(direct.text).toMatch(/^Boss gave this review to you:/);
    expect(textOf(direct.blocks[0])).toBe(
      'Boss gave this review to you:\n> see &lt;https[:]//evil[.]exampleǀthis&gt;\n> &lt;!channel&gt; ∗now∗',
    );
    expect(mentionsIn(direct)).toEqual([]);
    expect(linksIn(direct)).toEqual([]);
    // A change of the review keeps the words.
    await at.reviews.act(id, { kind: 'claim' }, person('alice'));
    await eventually(() => seen(direct).includes('Claimed by *Alice*'), { what: 'the copy is up to date' });
    expect(textOf(direct.blocks[0])).toMatch(/^Boss gave this review to you/);
    await at.reviews.act(id, { kind: 'decide', outcome: 'delete', reason: '' }, person('alice'));
    await eventually(() => isLocked(direct), { what: 'locked' });
    expect(seen(direct)).not.toContain('gave this review');
  });

  it('hears who handed it on and stays responsible, and in the thread where they have the review already', async () => {
    const { id } = await at.open({ assign: { to: [{ user: 'alice' }, { user: 'bob' }] } });
    const direct = await at.told(BOB, id);
    await at.told(ALICE, id);
    await at.reviews.act(id, { kind: 'claim' }, person('alice'));
    const to = { id: 'bob', name: 'Bob' };
    await at.reviews.act(id, { kind: 'delegate', to, reason: 'I am away' }, person('alice'));
    await eventually(() => at.thread(direct).length === 1, { what: 'a line in the thread' });
    expect(at.thread(direct)[0]?.text).toBe(
      'Alice handed this review on to you, and stays responsible:\n> I am away',
    );
    expect(await mails(id)).toContainEqual({
      payload: expect.objectContaining({
        personId: 'bob',
        telling: {
          kind: 'assigned',
          version: expect.any(Number),
          by: 'Alice',
          reason: 'I am away',
          staysWith: true,
        },
      }),
    });
  });

  it('is given the answer, and by whom, when what they asked is answered', async () => {
    const { id } = await at.open();
    await at.posted(id);
    await at.reviews.act(id, { kind: 'ask', question: 'Whose key is it?' }, person('alice'));
    await at.reviews.act(id, { kind: 'answer', text: `the test team’s\n${HOSTILE}` }, person('bob'));
    const direct = await at.told(ALICE, id);
    expect(direct.text).toMatch(/^Bob answered your question “Whose key is it\?”:/);
    expect(textOf(direct.blocks[0])).toContain(
      '“Whose key is it?”:\n> the test team’s\n> see &lt;https[:]//',
    );
    expect(mentionsIn(direct)).toEqual([]);
    expect(linksIn(direct)).toEqual([]);
    // It stays answered, whoever has the review then and however it ends.
    await give(id, 'Bob', '');
    await eventually(() => seen(direct).includes('*Bob* has it now'), { what: 'handed on' });
    expect(textOf(direct.blocks[0])).toMatch(/^Bob answered your question/);
    await at.reviews.act(id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    await eventually(() => seen(direct).includes('decided by Bob'), { what: 'decided' });
    expect(textOf(direct.blocks[0])).toMatch(/^Bob answered your question/);
  });

  it('hears who passed it on to them and why, and of the clock that nobody decided', async () => {
    const { id } = await at.open({
      assign: { to: [{ user: 'bob' }] },
      escalation: [{ after: '4h', to: ['user:alice'] }],
    });
    await at.posted(id);
    const step = { kind: 'escalate', step: 0, reason: 'above my head' } as const;
    await at.reviews.act(id, step, person('bob'));
    const direct = await at.told(ALICE, id);
    expect(textOf(direct.blocks[0])).toBe('Bob escalated this review to you:\n> above my head');
  });

  it('is told so although their message was only under way when somebody gave it to them', async () => {
    at.slack.script('chat.postMessage', { kind: 'slow', ms: 300 }, { kind: 'slow', ms: 300 });
    const { id } = await at.open({ assign: { to: [{ user: 'alice' }] } });
    await give(id, 'Alice', 'only you know it');
    const direct = await at.told(ALICE, id);
    await eventually(() => at.thread(direct).length === 1, { what: 'a line in the thread' });
    expect(at.thread(direct)[0]?.text).toBe('Boss gave this review to you:\n> only you know it');
  });
});
