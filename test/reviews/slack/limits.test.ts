import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { until, words } from '../../../src/reviews/channels/slack/answers/acts/fields.js';
import { personInput } from '../../../src/reviews/channels/slack/answers/acts/person-field.js';
import type { SlackAct } from '../../../src/reviews/channels/slack/answers/acts/act.js';
import { decideView } from '../../../src/reviews/channels/slack/answers/decide/decide-view.js';
import { actView, moreView } from '../../../src/reviews/channels/slack/answers/more-view.js';
import { sayView } from '../../../src/reviews/channels/slack/answers/view.js';
import { reviewList } from '../../../src/reviews/channels/slack/commands/review-list.js';
import { queueStats } from '../../../src/reviews/channels/slack/commands/verbs/stats.verb.js';
import { HOME_FILTERS } from '../../../src/reviews/channels/slack/home/home-filter.js';
import { homeView, speechlessHome } from '../../../src/reviews/channels/slack/home/home-view.js';
import { LONGEST_LINE, reviewLine } from '../../../src/reviews/channels/slack/review-line.js';
import { reviewMessage } from '../../../src/reviews/channels/slack/review-message.js';
import { linksIn, mentionsIn, textOf } from '../../support/slack/fake-slack.js';
import { looseTexts } from '../../support/slack/literal.js';
import { blockProblems, textLength, viewProblems } from '../../support/slack/limits.js';
import { undrawn } from '../../support/slack/page/drawn.js';
import { count, figures, hostileReview, nasty } from '../hostile.js';

/*
 * Whatever strangers and people write, Slack takes what we send, and shows nothing in it as a mention or a link but our
 * own addresses.
 */

const OURS = 'https://scan.example.com/reviews';
const pageOf = (): string => `${OURS}/1`;
const place = { dryRun: false, pageUrl: pageOf() };
// Their absence is what is asked for.
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/;
// The whole message, its text beside the blocks as well.
const BUDGET = 10_000;

interface Shown {
  readonly text?: string;
  readonly blocks?: unknown;
}

function expectInert(shown: Shown): void {
  expect(mentionsIn(shown)).toEqual([]);
  expect(looseTexts(shown.blocks)).toEqual([]);
  expect(linksIn(shown).filter((link) => !link.startsWith(OURS))).toEqual([]);
  expect(`${shown.text ?? ''}\n${textOf(shown.blocks)}`).not.toMatch(HIDDEN);
}

function expectMessage(message: Shown): void {
  expect(blockProblems(message.blocks, 'message')).toEqual([]);
  expect((message.text ?? '').length + textLength(message.blocks)).toBeLessThan(BUDGET);
  expect(message.text).not.toBe('');
  expectInert(message);
  expect(undrawn(message.blocks)).toEqual([]);
}

function expectView(view: object): void {
  expect(viewProblems({ ...view })).toEqual([]);
  const blocks = 'blocks' in view ? view.blocks : [];
  expectInert({ blocks });
  // The demo's page shows it all, so that everything can be clicked and filled in there, too.
  expect(undrawn(blocks)).toEqual([]);
}

const actOf = (name: string, label: string) => ({ name, title: 'Ask back', label }) as SlackAct;
const act = actOf('ask', 'Ask back…');
const form = fc.array(fc.tuple(nasty, nasty, nasty), { maxLength: 90 }).map((fields) => ({
  type: 'object',
  properties: Object.fromEntries(
    fields.map(([name, title, description], n) => [
      `${n}${name}`,
      { title, description, ...(n % 3 === 0 ? { enum: [title, `${description}2`] } : { type: 'string' }) },
    ]),
  ),
}));
describe('whatever a review holds, Slack takes it and shows it as text', () => {
  it('as a message', () => {
    fc.assert(
      fc.property(hostileReview, fc.boolean(), (review, dryRun) => {
        expectMessage(reviewMessage(review, pageOf(), dryRun));
      }),
    );
  });

  it('in the form of a decision, with any form of its own and any reason', () => {
    fc.assert(
      fc.property(hostileReview, form, nasty, (review, schema, reason) => {
        for (const outcome of review.outcomes) {
          expectView(decideView(review, outcome, '{}', place));
          const asked = { ...review, policy: { ...review.policy, form: schema } };
          expectView(decideView(asked, outcome, '{}', { ...place, reason }));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('in all other windows, with any people to choose from', () => {
    const people = fc.array(fc.record({ name: nasty, login: nasty }), { maxLength: 110 });
    fc.assert(
      fc.property(hostileReview, people, nasty, (review, some, said) => {
        expectView(moreView(review, [act, actOf('b', said.slice(0, 75))]));
        const chosen = some.map((one, n) => ({ ...one, personId: `p${n}` }));
        const fields = [
          personInput(chosen),
          until('until', 'Until', Date.UTC(2026, 10, 23)),
          words('text', 'Answer', { hint: said }),
        ];
        expectView(actView(review, act, fields));
        expectView(sayView(review.title, said));
      }),
      { numRuns: 50 },
    );
  });

  it('in App Home, with as many as have room', () => {
    const reviews = fc
      .array(hostileReview, { maxLength: 23 })
      .map((some) =>
        some.map((review, n) => ({ ...review, id: `0d2f5f0e-0000-4000-8000-0000000000${10 + n}` })),
      );
    const counts = fc.record({ waiting: count, unclaimed: count, breached: count });
    fc.assert(
      fc.property(
        reviews,
        fc.constantFrom(...HOME_FILTERS),
        counts,
        fc.array(nasty),
        (some, filter, all, troubles) => {
          const rest = { counts: all, troubles, inboxUrl: OURS, pageOf, hasMore: false };
          const view = homeView({ filter, reviews: some, ...rest });
          expectView(view);
          expect(view.blocks.length).toBeLessThanOrEqual(60);
          expectView(speechlessHome(troubles.join(''), true, OURS));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('in the answers to commands, with as many as there are', () => {
    fc.assert(
      fc.property(
        fc.array(hostileReview, { maxLength: 30 }),
        nasty,
        fc.array(figures, { maxLength: 30 }),
        (some, queue, all) => {
          for (const review of some)
            expect(reviewLine(review, pageOf()).length).toBeLessThanOrEqual(LONGEST_LINE);
          const title = `What waits in ${queue.length}`;
          expectMessage(
            reviewList(some, { title, none: title, hasMore: true, command: '/sallyport' }, pageOf),
          );
          expectMessage({ blocks: [], ...queueStats(all, all.length > 20) });
        },
      ),
      { numRuns: 25 },
    );
  });
});
