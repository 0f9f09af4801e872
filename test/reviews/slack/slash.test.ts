import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  firstWord,
  meantId,
  readCommand,
} from '../../../src/reviews/channels/slack/commands/command-line.js';
import { spanText } from '../../../src/reviews/channels/slack/commands/verbs/stats.verb.js';
import { eventually } from '../../support/eventually.js';
import { buttonsOf, linksIn, mentionsIn, textOf, type FakeUser } from '../../support/slack/fake-slack.js';
import { person } from '../stage.js';
import { alice, answeringStage, bob, type AnsweringStage } from './answering-stage.js';

describe('the slash command', () => {
  let stage: AnsweringStage;
  beforeEach(async () => {
    stage = await answeringStage();
  });
  afterEach(() => stage.end());

  const type = async (text: string, user: FakeUser = alice): Promise<string> => {
    const answer = await stage.slack.slash('/sallyport', text, user);
    if (Object.keys(answer).length > 0) expect(answer['response_type']).toBe('ephemeral');
    return `${textOf({ text: answer['text'] })}\n${textOf(answer['blocks'])}`;
  };

  it('explains itself, and whatever it does not understand', async () => {
    for (const text of ['', 'help', '  HELP ']) expect(await type(text)).toContain('/sallyport show ID');
    expect(await type('<!channel> now')).toMatch(/There is no “&lt;!channel&gt;”/);
    expect(await type('show me')).toMatch(/first 8 characters/);
    expect(await type('show ffffffff')).toMatch(/No review ffffffff/);
  });

  it('lists what waits and what is somebody’s, with the short ids by which they are named', async () => {
    const first = await stage.ask({ deadline: '4h' });
    const second = await stage.ask({ queue: 'legal' });
    const all = await type('list');
    expect(all.indexOf(first.id.slice(0, 8))).toBeLessThan(all.indexOf(second.id.slice(0, 8)));
    expect(all).toContain('incoming/config');
    expect(await type('list legal')).not.toContain(first.id.slice(0, 8));
    expect(await type('list nowhere')).toContain('There is no queue named nowhere');
    expect(await type('list default')).toContain(`/sallyport show ${first.id.slice(0, 8)}`);
    expect(await type('mine')).toContain('Nothing is yours now.');
    expect(await type(`claim ${first.id.slice(0, 8)}`)).toMatch(/yours now[^]*Secrets found/);
    expect(await type('mine')).toContain(first.id.slice(0, 8));
    const { reviewers } = stage;
    const everybody = reviewers.people;
    reviewers.people = everybody.map((one) => ({ ...one, queues: ['legal'] }));
    expect(await type('mine')).toContain('Nothing is yours now.');
    reviewers.people = everybody;
    expect(await type(`claim ${first.id}`, bob)).toMatch(/Alice claimed this review/);
    expect(await type(`give-back \`${first.id.slice(0, 8)}\``)).toMatch(/Given back/);
    expect(await type('mine')).toContain('Nothing is yours now.');
    // The word of an earlier release.
    await type(`claim ${first.id}`);
    expect(await type(`release ${first.id}`)).toMatch(/Given back/);
    expect(await type('stats')).toMatch(/2 waiting, 0 of them overdue[^]*default[^]*legal/);
  });

  it('shows the evidence with buttons that work, also where the bot is in no conversation', async () => {
    const { id } = await stage.ask();
    stage.slack.addChannel({ id: 'C0ELSEWHERE', name: 'elsewhere', botIsMember: false, isPrivate: true });
    await stage.slack.slash('/sallyport', `show <http://127.0.0.1/reviews/${id}>`, alice, 'C0ELSEWHERE');
    const answer = stage.slack.whispers.at(-1);
    if (answer === undefined) throw new Error('nothing was shown');
    expect(textOf(answer.blocks)).toContain('AKIA************');
    expect(buttonsOf(answer.blocks).map((button) => textOf(button))).toContain('Release');
    await stage.slack.click(answer, 'review.claim', alice);
    expect(await stage.modal(alice)).toContain('It is yours now');
    expect((await stage.review(id)).state).toBe('CLAIMED');
    expect(
      await stage.db.query("SELECT actor, subject FROM audit_event WHERE action = 'findings.read'"),
    ).toEqual([{ actor: 'user:alice', subject: `review:${id}` }]);
  });

  it('takes no word for an answer that only every object has', async () => {
    const { id } = await stage.ask();
    for (const word of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      expect(await type(`${word} ${id.slice(0, 8)} because`)).not.toMatch(/Decided|went wrong/);
    expect((await stage.review(id)).state).toBe('OPEN');
  });

  it('decides at once what refuses, and opens the evidence, with the reason, for what grants or deletes', async () => {
    const kept = await stage.ask({ outcomes: ['release', 'keep', 'delete'] });
    expect(await type(`keep ${kept.id.slice(0, 8)} not ours`)).toMatch(/Decided: Keep in quarantine/);
    expect((await stage.review(kept.id)).decision).toMatchObject({
      outcome: 'keep',
      reason: 'not ours',
      via: 'slack',
      by: { id: 'alice' },
    });

    const { id } = await stage.ask();
    for (const [verb, title] of [
      ['approve', 'Release'],
      ['release', 'Release'],
      ['reject', 'Delete'],
      ['DELETE', 'Delete'],
    ] as const) {
      expect(await type(`${verb} ${id.slice(0, 8)} our own test file`)).toBe('\n');
      const modal = await stage.modal(alice);
      expect(modal).toContain(title);
      expect(modal).toContain('AKIA************');
      expect((await stage.review(id)).state).toBe('OPEN');
      await stage.slack.closeView(alice);
    }
    await type(`approve ${id.slice(0, 8)} our own test file`);
    expect(await stage.slack.submit(alice, {})).toEqual({});
    expect((await stage.review(id)).decision).toMatchObject({
      outcome: 'release',
      reason: 'our own test file',
    });
    expect(await type(`reject ${id.slice(0, 8)} no`, bob)).toMatch(/Alice already chose “Release”/);
  });

  it('decides no better than a button: rights, four eyes and outcomes are judged as everywhere', async () => {
    const { id } = await stage.ask({
      outcomes: ['approve', 'reject'],
      requester: 'alice',
      fourEyes: ['requester'],
    });
    expect(await type(`reject ${id} no`)).toMatch(/four eyes/);
    expect(await type(`approve ${id} yes`)).toMatch(/four eyes/);
    expect(await type(`burn ${id} yes`, bob)).toMatch(
      /no answer of this review, which takes approve, reject/,
    );
    expect(stage.slack.views.size).toBe(0);
    stage.slack.script('views.open', { kind: 'error', error: 'internal_error' });
    expect(await type(`approve ${id} yes`, bob)).toMatch(/Look at it first[^]*Secrets found/);
    expect(await type(`reject ${id} no`, bob)).toMatch(/Decided: Reject/);
  });

  it('and buttons tell of people with hostile names as of people, and nothing more', async () => {
    const name = '<!channel> https://evil.example/a *x* `y` <@U123|z> eve@evil.example';
    const queue = '<!here>www.evil.example';
    stage.reviewers.people = [{ personId: 'alice', name }, ...stage.reviewers.people.slice(1)];
    const { id, message } = await stage.ask();
    await stage.slack.click(message, 'review.claim', alice);
    await eventually(() => textOf(message.blocks).includes('Give back'));
    await stage.slack.click(message, 'review.release', bob);
    expect(await stage.whispered(bob)).toMatch(/evil.*claimed this review/);
    for (const text of [`claim ${id}`, `show ${id}`, 'list', `list ${queue}`, queue, `${queue} ${id} x`])
      await type(text, bob);
    await stage.slack.openHome(bob);
    await stage.slack.click(message, 'review.decide:release', bob);
    await eventually(() => /evil.*claimed this review/.test(stage.slack.whispers.at(-1)?.text ?? ''));
    const shown = [...stage.slack.whispers, ...stage.slack.messages, ...stage.slack.homes.values()];
    expect(shown.length).toBeGreaterThan(8);
    for (const one of shown) {
      expect(mentionsIn(one)).toEqual([]);
      expect(linksIn(one).filter((link) => !link.startsWith('http://127.0.0.1:8080/'))).toEqual([]);
    }
  });

  it('answers neither strangers nor those who have no grant for the queue', async () => {
    const { id, message } = await stage.ask();
    const carol = { id: 'U0CAROL', name: 'carol' };
    const unlinked = await type('list', carol);
    expect(unlinked).toMatch(/Link your Slack account first; nothing was done/);
    expect(unlinked).toMatch(/then type the command again/);
    stage.reviewers.people = [
      ...stage.reviewers.people,
      { personId: 'carol', name: 'Carol', queues: ['legal'] },
    ];
    await stage.bind(carol, 'carol');
    expect(await type('list', carol)).toMatch(/Nothing waits/);
    expect(await type('list legal', carol)).toMatch(/Nothing waits in the queue legal|no queue named legal/);
    expect(await type('list default', carol)).toMatch(/may not see reviews of the queue default/);
    expect(await type('list nowhere', carol)).toMatch(/may not see reviews of the queue nowhere/);
    expect(await type('stats', carol)).toMatch(/Nothing waits/);
    expect(await type(`show ${id}`, carol)).toMatch(/which you have no grant for/);
    await stage.slack.click(message, 'review.decide:release', carol);
    const refusal = /^You may not decide in the queue default\. Ask an admin for a grant/;
    await eventually(() => stage.slack.whispers.some(({ text }) => refusal.test(text)), {
      what: 'the reason',
    });
    await stage.reviews.act(id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    expect(await type(`claim ${id}`)).toMatch(/Bob already chose/);
  });
});

describe('what is typed', () => {
  it('is a verb, a review and the rest', () => {
    expect(readCommand('  Approve 0d2f5f0e  because\nof this ')).toEqual({
      verb: 'approve',
      rest: '0d2f5f0e  because\nof this',
    });
    expect(firstWord('0d2f5f0e  because\nof this')).toEqual({ word: '0d2f5f0e', rest: 'because\nof this' });
    const id = '0d2f5f0e-1234-4000-8000-0000000000aa';
    for (const word of [id, id.toUpperCase(), `\`${id}\``, `<https://x.example/reviews/${id}|x>`])
      expect(meantId(word)).toBe(id);
    expect(meantId('0d2f5f0e')).toBe('0d2f5f0e');
    expect(meantId('0d2f5f0e12')).toBe('0d2f5f0e-12');
    expect(meantId('0d2f5f0e-12')).toBe('0d2f5f0e-12');
    for (const word of ['', '0d2f5f0', 'zd2f5f0e', "0d2f5f0e'"]) expect(meantId(word)).toBeUndefined();
  });

  it('names the beginning of an id that PostgreSQL can complete, or none', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f]{8}[0-9a-f-]{0,28}$/), (word) => {
        const begin = meantId(word) ?? '';
        const whole = begin + '00000000-0000-0000-0000-000000000000'.slice(begin.length);
        expect(whole).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => typeof readCommand(text).verb === 'string'));
  });

  it('says spans of time as people do', () => {
    expect([40, 700, 9000, 400_000].map(spanText)).toEqual(['40 s', '12 min', '3 h', '5 days']);
  });
});
