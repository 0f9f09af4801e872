import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM } from '../../../src/reviews/review-writer.js';
import { ReviewsService } from '../../../src/reviews/reviews.service.js';
import { subjectDigest } from '../../../src/reviews/subject-digest.js';
import { eventually } from '../../support/eventually.js';
import { NotSent } from '../../support/slack/form-state.js';
import { buttonsOf, textOf } from '../../support/slack/fake-slack.js';
import { alice, answeringStage, bob, type AnsweringStage } from './answering-stage.js';

const APPROVE = 'review.decide:release';
const REJECT = 'review.decide:delete';

const form = {
  type: 'object',
  properties: {
    severity: { enum: ['low', 'high'], title: 'How bad is it?' },
    ticket: { type: 'string', title: 'Ticket', pattern: '^SEC-[0-9]+$' },
    rotated: { type: 'boolean', title: 'The key was rotated' },
    cost: { type: 'integer', minimum: 0, title: 'Cost' },
    tags: { type: 'array', items: { enum: ['test', 'old'] } },
    until: { type: 'string', format: 'date' },
  },
  required: ['severity', 'ticket', 'rotated'],
};

describe('a question with a form in Slack', () => {
  let stage: AnsweringStage;
  beforeEach(async () => {
    stage = await answeringStage();
  });
  afterEach(() => stage.end());

  const say = (text: string | number | boolean | readonly string[]) => ({ text });

  it('is answered in the modal, typed as the schema says, and wrong answers are told at their fields', async () => {
    const { id, message } = await stage.ask({ form });
    await stage.slack.click(message, APPROVE, alice);
    expect(await stage.modal(alice)).toContain('How bad is it?');
    // Slack itself asks for what is required.
    await expect(stage.slack.submit(alice, { reason: say('fine') })).rejects.toThrow(NotSent);
    const answers = {
      'form.0': say('1'),
      'form.1': say('JIRA-1'),
      'form.2': say(true),
      'form.3': say(12),
      'form.4': say(['0']),
      'form.5': say('2026-12-24'),
      reason: say('our own test key'),
    };
    expect(await stage.slack.submit(alice, answers)).toEqual({
      response_action: 'errors',
      errors: { 'form.1': expect.stringContaining('must match pattern') },
    });
    expect((await stage.review(id)).state).toBe('OPEN');
    expect(await stage.slack.submit(alice, { 'form.1': say('SEC-7') })).toEqual({});
    expect((await stage.review(id)).votes[0]?.form).toEqual({
      severity: 'high',
      ticket: 'SEC-7',
      rotated: true,
      cost: 12,
      tags: ['test'],
      until: '2026-12-24',
    });
    await eventually(() => stage.engine.updates.length === 1);
    expect(stage.engine.updates[0]?.outputData).toMatchObject({ form: { ticket: 'SEC-7', cost: 12 } });
  });

  it('is refused without its form being touched, and what is filled in with a refusal is checked', async () => {
    const { id, message } = await stage.ask({ form });
    await stage.slack.click(message, REJECT, bob);
    await stage.modal(bob);
    expect(await stage.slack.submit(bob, { 'form.3': say(4) })).toMatchObject({
      errors: { 'form.0': expect.any(String), 'form.1': 'It is needed.' },
    });
    expect(await stage.slack.submit(bob, { 'form.3': { text: null } })).toEqual({});
    const review = await stage.review(id);
    expect(review.decision).toMatchObject({ outcome: 'delete', reason: '' });
    expect(review.votes[0]?.form).toBeUndefined();
  });

  it('that Slack has no fields for is answered on the web, and says so; refusing it needs none', async () => {
    const nested = { type: 'object', properties: { owner: { type: 'object', properties: {} } } };
    const { id, message } = await stage.ask({ form: nested });
    await stage.slack.click(message, APPROVE, alice);
    expect(await stage.modal(alice)).toMatch(/“owner” asks for the type object/);
    const view = stage.slack.views.get(alice.id);
    expect(view?.['submit']).toBeNull();
    expect(buttonsOf(view?.['blocks'] as Record<string, unknown>[])[0]?.['url']).toContain(`/reviews/${id}`);
    await stage.slack.click(message, REJECT, bob);
    await stage.modal(bob);
    await stage.slack.submit(bob, {});
    expect((await stage.review(id)).decision?.outcome).toBe('delete');
  });

  it('whose form changed while it was open is not decided', async () => {
    const { id, message } = await stage.ask({ form });
    await stage.slack.click(message, APPROVE, alice);
    await stage.modal(alice);
    const { policy, subject } = await stage.review(id);
    const next = { ...form, properties: { severity: { enum: ['none'] } }, required: [] };
    await stage.db.query('UPDATE review SET policy = $2, subject_digest = $3, round = 2 WHERE id = $1', [
      id,
      JSON.stringify({ ...policy, form: next }),
      subjectDigest(subject, next),
    ]);
    const answer = await stage.slack.submit(alice, {
      'form.0': say('0'),
      'form.1': say('SEC-7'),
      reason: say('fine'),
    });
    expect(textOf(answer['view'])).toMatch(/What you were shown is not what stands now/);
    expect((await stage.review(id)).votes).toEqual([]);
  });

  it('counts votes before everybody, and asks again when the scan’s result changes', async () => {
    const { id, message } = await stage.ask({ quorum: { approve: 2 } });
    expect(textOf(message.blocks)).toContain('Release 0 of 2, Delete 0 of 1');
    await stage.slack.click(message, APPROVE, alice);
    await stage.modal(alice);
    await stage.slack.submit(alice, { reason: say('fine') });
    await eventually(() => textOf(message.blocks).includes('Release 1 of 2 (Alice)'));
    expect((await stage.review(id)).state).toBe('OPEN');
    const review = await stage.review(id);
    const reviews = stage.app.get(ReviewsService, { strict: false });
    await reviews.act(id, { kind: 'renew', digest: 'f'.repeat(64) }, SYSTEM);
    await eventually(() => textOf(message.blocks).includes('Asked again (round 2)'));
    expect(textOf(message.blocks)).toContain('Release 0 of 2');
    expect(review.votes).toHaveLength(1);
  });
});
