import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { textOf } from '../../support/slack/fake-slack.js';
import { alice, answeringStage, bob, type AnsweringStage } from './answering-stage.js';

describe('over signed HTTP, without a socket', () => {
  let stage: AnsweringStage;
  beforeEach(async () => {
    stage = await answeringStage('http');
  });
  afterEach(() => stage.end());

  it('forms, lists of acts, commands and App Home answer as over the socket', async () => {
    const form = { type: 'object', properties: { risk: { enum: ['low', 'high'] } }, required: ['risk'] };
    const { id, message } = await stage.ask({ form, quorum: { approve: 2 } });
    await stage.slack.click(message, 'review.more', alice);
    await stage.modal(alice);
    await stage.slack.submit(alice, { choice: { text: 'comment' } });
    await stage.slack.submit(alice, { text: { text: 'a < b & <!channel>' } });
    await stage.slack.closeView(alice);
    expect(await stage.db.query('SELECT text FROM review_comment')).toEqual([{ text: 'a < b & <!channel>' }]);

    await stage.slack.click(message, 'review.decide:release', alice);
    await stage.modal(alice);
    await stage.slack.submit(alice, { 'form.0': { text: '1' }, reason: { text: 'fine' } });
    await stage.slack.slash(
      '/sallyport',
      `approve ${id.slice(0, 8)} ours &amp; <https://x.example|old>`,
      bob,
    );
    await stage.modal(bob);
    await stage.slack.submit(bob, { 'form.0': { text: '0' } });
    const { votes, decision } = await stage.review(id);
    expect(decision).toMatchObject({ outcome: 'release', by: { id: 'bob' }, via: 'slack' });
    expect(votes.map(({ form: filled, reason }) => [filled, reason])).toEqual([
      [{ risk: 'high' }, 'fine'],
      [{ risk: 'low' }, 'ours & old (https://x.example)'],
    ]);
    await stage.slack.openHome(alice);
    await eventually(() => textOf(stage.slack.homes.get(alice.id)).includes('Nothing waits here'));
  });
});
