import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Telling } from '../../src/reviews/channels/channel.js';
import { renderMail, subjectOf } from '../../src/reviews/channels/mail/render-mail.js';
import { hostileReview } from './hostile.js';

it('names in a subject what is asked about, once', () => {
  expect(subjectOf('Secrets found', 'deploy/settings.ini')).toBe(
    '[Sallyport] Secrets found: deploy/settings[.]ini',
  );
  expect(subjectOf('Open the firewall?', 'Open the firewall?')).toBe('[Sallyport] Open the firewall?');
  expect(subjectOf('Is it real? A key in b/a.txt', 'a.txt')).toBe(
    '[Sallyport] Is it real? A key in b/a[.]txt',
  );
});

const parts = {
  email: 'alice@example.com',
  code: '12345678',
  expiresAt: Date.UTC(2026, 10, 26),
  linkUrl: 'https://scan.example.com/r/x',
  inboxUrl: 'https://scan.example.com/reviews/1',
  dryRun: false,
} as const;
const [example] = fc.sample(hostileReview, 1);
const mailOf = (telling: Telling) => {
  if (example === undefined) throw new Error('no review');
  return renderMail(example, { ...parts, telling });
};

describe('the mail about a review', () => {
  it('says first who answered what was asked, and the answer itself', () => {
    const { text, html } = mailOf({
      kind: 'answered',
      version: 3,
      by: 'Bob',
      question: 'Whose key is it?',
      answer: 'the test team’s\n<b>see</b> https://evil.example',
    });
    expect(text).toContain(
      'Bob answered your question “Whose key is it?”:\n> the test team’s\n> <b>see</b> https[:]//evil[.]example\n',
    );
    expect(html).toContain('Bob answered your question “Whose key is it?”:');
    expect(html).toMatch(
      /<blockquote[^>]*>the test team’s<br>&lt;b&gt;see&lt;\/b&gt; https<span>:<\/span>\/\/evil/,
    );
    expect(html.indexOf('<blockquote')).toBeLessThan(html.indexOf('<h1'));
  });

  it('says who gave it and why, who stays responsible, and that the clock escalated it', () => {
    const given = { kind: 'assigned', version: 2, by: 'Bob', reason: 'you know the bucket' } as const;
    expect(mailOf(given).text).toContain('Bob gave this review to you:\n> you know the bucket\n');
    expect(mailOf({ ...given, reason: undefined, staysWith: true }).text).toContain(
      'Bob handed this review on to you, and stays responsible.\n',
    );
    const escalated = { kind: 'escalated', step: 0, loop: 0 } as const;
    expect(mailOf({ ...escalated, by: 'Bob', reason: 'above my head' }).text).toContain(
      'Bob escalated this review to you:\n> above my head\n',
    );
    expect(mailOf(escalated).text).toContain('escalated to you: nobody decided so far.\n');
  });

  it('is no longer than a mail may be, whatever was said', () => {
    const long = Array.from({ length: 90 }, () => 'x'.repeat(200)).join('\n');
    const { text } = mailOf({ kind: 'answered', version: 1, by: 'Bob', answer: long });
    expect(text.match(/^> /gm)).toHaveLength(51);
    expect(text).toContain('\n> …\n');
  });
});
