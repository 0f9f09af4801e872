import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderMail } from '../../src/reviews/channels/mail/render-mail.js';
import { reviewPage } from '../../src/reviews/channels/mail/page.js';
import { defanged, escapeHtml, visible } from '../../src/outbound/safe-text.js';
import { parseValue, valueOf } from '../../src/reviews/channels/slack/review-buttons.js';
import { bounded, escapeSlack } from '../../src/reviews/channels/slack/slack-text.js';
import { hostileReview as review, nasty } from './hostile.js';

const parts = {
  email: 'alice@example.com',
  code: '12345678',
  expiresAt: Date.UTC(2026, 10, 26),
  linkUrl: `https://scan.example.com/r/${'A'.repeat(43)}`,
  inboxUrl: 'https://scan.example.com/reviews/1',
  dryRun: false,
  telling: { kind: 'opened' },
} as const;
// Their absence is what is asked for.
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/;

describe('whatever a review holds', () => {
  it('its mail stays under what mail readers cut off, and is well-formed without a stranger’s markup or link', () => {
    fc.assert(
      fc.property(review, nasty, (given, said) => {
        const telling = { kind: 'answered', version: 1, by: said, question: said, answer: said } as const;
        const mail = renderMail(given, { ...parts, telling });
        expect(Buffer.byteLength(mail.html)).toBeLessThan(100_000);
        expect(mail.subject).not.toMatch(/[\r\n]/);
        expect(mail.subject).not.toMatch(HIDDEN);
        expect(mail.html.replaceAll('\n', '')).not.toMatch(HIDDEN);
        expect(mail.html).not.toMatch(/<(script|img|iframe|link|object|form)/i);
        const hosts = [...`${mail.text}\n${mail.html}`.matchAll(/https?:\/\/([^/\s"'<]*)/g)].map(
          ([, host]) => host,
        );
        expect(new Set(hosts)).toEqual(new Set(['scan.example.com']));
      }),
    );
  });

  it('its page shows it as text', () => {
    fc.assert(
      fc.property(review, (given) => {
        const html = reviewPage('n0nce', given, {
          email: parts.email,
          csrf: 'c',
          action: '/r/v/x',
          inboxUrl: parts.inboxUrl,
          holderIsMe: true,
          dryRun: false,
          attemptsLeft: 5,
          reason: given.subject.reason,
          notice: { tone: 'error', text: given.title, field: 'code' },
        });
        expect(html).not.toMatch(/<(script|img|iframe|object)/i);
        const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag));
        const ours =
          'html head meta title style body main p strong h1 h2 bdi dl div dt dd code ul li span form input button label textarea a br q time'.split(
            ' ',
          );
        expect([...tags].filter((tag) => tag !== undefined && !ours.includes(tag))).toEqual([]);
      }),
    );
  });
});

describe('texts of strangers', () => {
  it('become visible, one line and no longer than asked', () => {
    expect(visible('a\u202eb\r\nc\u200bd', 100)).toBe('a\\u{202e}b\\u{d}\\u{a}c\\u{200b}d');
    expect(visible('invoice-2026-very-long-name.pdf.exe', 16)).toBe('invoice-20…f.exe');
    expect(visible('😀'.repeat(10), 3)).toBe('😀😀…');
    fc.assert(
      fc.property(nasty, fc.integer({ min: 2, max: 300 }), (text, max) => {
        const shown = visible(text, max);
        expect(Array.from(shown).length).toBeLessThanOrEqual(max);
        expect(shown).not.toMatch(HIDDEN);
        expect(shown).not.toContain('\n');
      }),
    );
  });

  it('are cut for Slack without tearing an entity', () => {
    fc.assert(
      fc.property(nasty, fc.integer({ min: 10, max: 400 }), (text, max) => {
        const cut = bounded(text, max);
        expect(cut.length).toBeLessThanOrEqual(max);
        expect(
          escapeSlack(cut.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')),
        ).toBe(cut);
      }),
    );
  });

  it('are no links once defanged, and no markup once escaped', () => {
    expect(defanged('https://evil.example/a.zip')).toBe('https[:]//evil[.]example/a[.]zip');
    expect(defanged('mail a@b.c')).toBe('mail a[@]b[.]c');
    expect(escapeHtml(`<a href="x" on='y'>&`)).toBe('&lt;a href=&quot;x&quot; on=&#39;y&#39;&gt;&amp;');
  });
});

describe('what a button carries', () => {
  it('is read back, and anything else is not', () => {
    const given = { id: '0d2f5f0e-0000-4000-8000-000000000001', subjectDigest: 'a'.repeat(64) };
    expect(parseValue(valueOf(given))).toEqual({ reviewId: given.id, digest: given.subjectDigest });
    fc.assert(fc.property(fc.string(), (text) => parseValue(text) === undefined));
  });
});
