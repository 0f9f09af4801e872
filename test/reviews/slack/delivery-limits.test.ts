import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyContent, leastContent } from '../../../src/reviews/channels/slack/delivery/copy-content.js';
import type { Course, Step } from '../../../src/reviews/channels/slack/delivery/next-steps.js';
import { digestMessage } from '../../../src/reviews/channels/slack/digests/digest-message.js';
import { lateMessage } from '../../../src/reviews/channels/slack/digests/late-message.js';
import { stormMessage } from '../../../src/reviews/channels/slack/digests/storm-message.js';
import {
  tellingText,
  commentLine,
  threadLine,
} from '../../../src/reviews/channels/slack/threads/thread-line.js';
import type { Telling } from '../../../src/reviews/channels/channel.js';
import { section } from '../../../src/reviews/channels/slack/block-kit.js';
import { linksIn, mentionsIn } from '../../support/slack/fake-slack.js';
import { blockProblems, textLength } from '../../support/slack/limits.js';
import { figures, hostileReview, nasty } from '../hostile.js';

const OURS = 'https://scan.example.com';
const BUDGET = 10_000;

interface Said {
  readonly text: string;
  readonly blocks: unknown[];
}

function expectTaken(said: Said): void {
  expect(blockProblems(said.blocks, 'message')).toEqual([]);
  expect(said.text.length + textLength(said.blocks)).toBeLessThan(BUDGET);
  expect(said.text).not.toBe('');
  expect(mentionsIn(said)).toEqual([]);
  expect(linksIn(said).filter((link) => !link.startsWith(`${OURS}/reviews`))).toEqual([]);
}

const step: fc.Arbitrary<Step> = fc.record({
  words: nasty,
  state: fc.constantFrom('done', 'running', 'failed', 'skipped'),
});
const course: fc.Arbitrary<Course> = fc.record({
  steps: fc.array(step, { maxLength: 12 }),
  end: fc.constantFrom('done', 'failed', 'stopped', undefined),
});
const count = fc.nat(100_000);
const telling: fc.Arbitrary<Telling> = fc.oneof(
  fc.record({ kind: fc.constant('assigned' as const), version: count, by: nasty, reason: nasty }),
  fc.record({ kind: fc.constant('escalated' as const), step: count, loop: count, by: nasty, reason: nasty }),
  fc.record({
    kind: fc.constant('answered' as const),
    version: count,
    by: nasty,
    question: nasty,
    answer: nasty,
  }),
);

describe('whatever strangers and people write, what goes out to Slack', () => {
  it('is taken as a copy, in a channel and in direct messages, with all that comes after', () => {
    fc.assert(
      fc.property(
        hostileReview,
        course,
        fc.option(nasty, { nil: undefined }),
        telling,
        (review, next, personId, why) => {
          const inboxUrl = `${OURS}/reviews/${review.id}`;
          const copy = copyContent({ review, inboxUrl, dryRun: false, personId, telling: why, course: next });
          expectTaken({ ...copy, text: `${tellingText(why).line} ${copy.text}` });
          const { text } = tellingText(why);
          expectTaken({ text, blocks: [section([text])] });
          expectTaken(leastContent(review, inboxUrl));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is taken as the message of a storm and of what is overdue', () => {
    const worked = fc.record({ all: count, open: count, taken: count, decided: count });
    fc.assert(
      fc.property(
        worked,
        fc.array(hostileReview, { maxLength: 12 }),
        fc.boolean(),
        (all, reviews, isForOne) => {
          expectTaken(stormMessage(all, reviews, { publicUrl: OURS, isForOne }));
          expectTaken(lateMessage([{ breached: all.open }], reviews, OURS));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is taken as a digest', () => {
    const decider = fc.record({ name: nasty, decided: count });
    fc.assert(
      fc.property(
        fc.array(figures, { maxLength: 30 }),
        fc.array(decider, { maxLength: 5 }),
        (queues, deciders) => {
          expectTaken(digestMessage({ kind: 'weekly', from: 0, queues, deciders }, OURS));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is taken as a line of a thread', () => {
    fc.assert(
      fc.property(
        nasty,
        nasty,
        fc.constantFrom('commented', 'asked', 'answered', 'comment_edited'),
        (name, text, kind) => {
          const by = { id: 'x', name };
          const line =
            threadLine({ kind, by, data: { question: text, answer: text, comment: 'c1' } })?.text ??
            commentLine(kind, { author: by, text: `${text}\n${text}` });
          expectTaken({ text: line, blocks: [section([line])] });
        },
      ),
      { numRuns: 200 },
    );
  });
});
