import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownWords, readReply } from '../../../src/reviews/channels/mail/inbound/reply-text.js';

const OUTCOMES = ['approve', 'reject'];

describe('the words of a reply', () => {
  it('command where they stand alone on the first line, and are the reason below it', () => {
    expect(
      readReply('Reject\n\nnot ours\n\nOn Mon, Nov 23, 2026 Sallyport wrote:\n> approve', OUTCOMES),
    ).toEqual({ kind: 'decide', outcome: 'reject', reason: 'not ours' });
    expect(readReply(' CLAIM \r\n-- \r\nAlice', OUTCOMES)).toEqual({ kind: 'claim' });
  });

  it('are a comment where anything stands beside a command', () => {
    expect(readReply('approve?', OUTCOMES)).toEqual({ kind: 'comment', text: 'approve?' });
    expect(readReply('I do not approve\napprove', OUTCOMES)).toMatchObject({ kind: 'comment' });
    expect(readReply('comment: looks fine', OUTCOMES)).toEqual({ kind: 'comment', text: 'looks fine' });
  });

  it('are never taken from what is quoted', () => {
    for (const quoted of [
      '> reject',
      'On Mon, 23 Nov 2026 at 10:00, Sallyport\n<s@example.com> wrote:\n> reject',
      'Am 23.11.2026 um 10:00 schrieb Sallyport:\n> reject',
      '-----Original Message-----\nreject',
      '________________________________\nFrom: s@example.com\nreject',
      'From: Sallyport <s@example.com>\nreject',
    ])
      expect(readReply(quoted, OUTCOMES), quoted).toEqual({ kind: 'nothing' });
  });

  it('decide only with the name of an outcome, whatever else is written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const command = readReply(text, OUTCOMES);
        const first = ownWords(text.replaceAll('\u0000', '').toWellFormed())
          .split('\n')[0]
          ?.trim()
          .toLowerCase();
        if (command.kind === 'decide') expect(OUTCOMES).toContain(first);
        if (command.kind === 'comment') expect(command.text.length).toBeLessThanOrEqual(2000);
      }),
    );
  });
});
