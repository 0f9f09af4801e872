import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { questionOf } from '../../src/reviews/channels/question.js';
import { renderDigest } from '../../src/reviews/channels/mail/render-digest.js';
import { renderMail } from '../../src/reviews/channels/mail/render-mail.js';
import { reviewLine } from '../../src/reviews/channels/slack/review-line.js';
import { reviewMessage } from '../../src/reviews/channels/slack/review-message.js';
import { eventWords } from '../../src/reviews/event-words.js';
import type { Review } from '../../src/reviews/review.js';
import { REVIEW_EVENT_KINDS } from '../../src/reviews/sql/review-events.js';
import { buttonsOf, textOf } from '../support/slack/fake-slack.js';
import { hostileReview } from './hostile.js';
import { exampleSubject } from './stage.js';

const PAGE = 'https://scan.example.com/reviews/1';
const ended = {
  outcome: 'release',
  by: { id: 'p', name: 'Bob' },
  at: 1,
  via: 'web',
  method: 'session',
  reason: '',
};

function example(more: Partial<Review> = {}): Review {
  const [review] = fc.sample(hostileReview, 1);
  if (review === undefined) throw new Error('no review');
  const subject = { ...exampleSubject(), quarantined: true };
  const waits = { state: 'OPEN', claim: undefined, decision: undefined, cancelled: undefined } as const;
  return { ...review, ...waits, outcomes: ['release', 'delete'], subject, ...more };
}

describe('what a question can be answered with', () => {
  it('is called the same on the buttons in Slack, in the mail, on the web and in what was decided', () => {
    for (const outcomes of [
      ['release', 'delete'],
      ['release', 'keep'],
      ['approve', 'reject'],
      ['go', 'no_go'],
    ]) {
      const review = example({ outcomes });
      const labels = questionOf(review, 0, false).outcomes.map(({ label }) => label);
      const message = reviewMessage(review, PAGE, false);
      expect(
        buttonsOf(message.blocks as never)
          .slice(0, 2)
          .map((one) => textOf(one)),
      ).toEqual(labels);
      const mail = renderMail(review, {
        email: 'a@example.com',
        code: '1',
        expiresAt: 1,
        linkUrl: PAGE,
        inboxUrl: PAGE,
        dryRun: false,
        telling: { kind: 'opened' },
      });
      for (const label of labels) expect(mail.text).toContain(`- ${label}:`);
      const [first = ''] = outcomes;
      const done = example({
        outcomes,
        state: 'COMPLETED',
        decision: { ...ended, outcome: first, via: 'web' },
      });
      expect(textOf(reviewMessage(done, PAGE, false).blocks)).toContain(
        `*${labels[0] ?? ''}: decided by Bob`,
      );
    }
  });
});

describe('a question about no object', () => {
  it('says its title once, in Slack, in mails and in their subjects, however long it is', () => {
    for (const title of ['Is anybody there?', 'May the '.concat('very '.repeat(18), 'old bucket go?')]) {
      const review = example({ title, subject: { ...example().subject, verdict: '', object: undefined } });
      const times = (text: string): number => text.split(title).length - 1;
      const message = reviewMessage(review, PAGE, false);
      expect(times(message.text)).toBe(1);
      expect(times(textOf(message.blocks))).toBe(1);
      expect(times(reviewLine(review))).toBe(1);
      const mail = renderMail(review, {
        email: 'bob@example.com',
        code: '12345678',
        expiresAt: 1,
        linkUrl: PAGE,
        inboxUrl: PAGE,
        dryRun: false,
        telling: { kind: 'opened' },
      });
      expect(mail.subject).toBe(`[Sallyport] ${title}`);
      expect(times(mail.text)).toBe(1);
      // As title of the window, and as headline.
      expect(times(mail.html)).toBe(2);
      expect(times(renderDigest([review], PAGE).text)).toBe(1);
    }
  });
});

describe('where the object is', () => {
  it('is said of now while the question waits, and of when it was asked once it is decided', () => {
    expect(textOf(reviewMessage(example(), PAGE, false).blocks)).toContain('*Now* in quarantine');
    const done = example({ state: 'COMPLETED', decision: { ...ended, via: 'web' } });
    const text = textOf(reviewMessage(done, PAGE, false).blocks);
    expect(text).toContain('*Where it was when asked* in quarantine');
    expect(text).not.toContain('*Now*');
  });
});

describe('what happened to a review', () => {
  it('is told in words, in which only an object is released', () => {
    for (const kind of REVIEW_EVENT_KINDS) {
      expect(eventWords(kind)).not.toMatch(/_|^$|released/);
    }
    expect(eventWords('released')).toBe('given back');
    expect(eventWords('due_soon')).toBe('due soon');
    expect(eventWords('constructor')).toBe('constructor');
  });
});
