import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { visible } from '../../../src/outbound/safe-text.js';
import { FontSet } from '../../../src/reports/render/pdf/fonts.js';
import { textLines, type TextLine } from '../../../src/reports/render/pdf/text-lines.js';
import { HOSTILE_TEXTS } from '../../support/reports/hostile-week.js';

const fonts = new FontSet();
const style = { size: 10, isBold: false };
/** Every character is ten wide. */
const measure = (text: string): number => Array.from(text).length * 10;
const lines = (text: string, width = 200): TextLine[] => textLines(text, style, width, fonts, measure);
const drawn = ({ pieces }: TextLine): string => pieces.map(({ text }) => text).join('');
const letters = (texts: readonly string[]): string =>
  Array.from(
    texts
      .join('')
      .replace(/\s/g, '')
      .replace(/[()[\]{}<>«»]/g, '|'),
  )
    .sort()
    .join('');

const strangeText = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom('a', ' ', 'א', 'ש', 'ع', '1', '.', '(', ')', '报', '한', '😀', '\u0301'),
    maxLength: 60,
  }),
);

describe('text in lines', () => {
  it('leaves no character out and draws none twice, whatever the text and the width', () => {
    fc.assert(
      fc.property(strangeText, fc.integer({ min: 80, max: 400 }), (text, width) => {
        const shown = lines(text, 1e9);
        expect(letters(lines(text, width).map(drawn))).toBe(letters(shown.map(drawn)));
        if (!/[^\x00-\x7f]/.test(text))
          expect(shown.map(drawn).join('')).toBe(visible(text, 10_000).trimEnd());
      }),
      { numRuns: 500 },
    );
  });

  it('makes no line wider than there is room, where a character fits at all', () => {
    fc.assert(
      fc.property(strangeText, fc.integer({ min: 80, max: 400 }), (text, width) => {
        for (const line of lines(text, width)) {
          expect(line.width).toBeLessThanOrEqual(width);
          expect(line.width).toBe(measure(drawn(line)));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('breaks between words, and words only where one is longer than a line', () => {
    expect(lines('one two three four', 90).map(drawn)).toEqual(['one two', 'three', 'four']);
    expect(lines('a 0123456789abcdef', 100).map(drawn)).toEqual(['a', '0123456789', 'abcdef']);
  });

  it('breaks a key of 1,024 bytes into lines that together are the key', () => {
    const key = HOSTILE_TEXTS.at(-1)!;
    expect(lines(key).length).toBeGreaterThan(20);
    expect(lines(key).map(drawn).join('')).toBe(key);
  });

  it('takes each character from a font that has it', () => {
    const [line] = lines('aΩЯ אב عر 报ト 한', 1e9);
    const fontOf = (text: string) => line!.pieces.find((piece) => piece.text.includes(text))?.font;
    expect(fontOf('a')).toBe('NotoSans-Regular.ttf');
    expect(fontOf('Я')).toBe('NotoSans-Regular.ttf');
    expect(fontOf('א')).toBe('NotoSansHebrew-Regular.ttf');
    expect(fontOf('ع')).toBe('NotoNaskhArabic-Regular.ttf');
    expect(fontOf('报')).toBe('NotoSansHans-Regular.otf');
    expect(fontOf('한')).toBe('NotoSansKR-Regular.otf');
  });

  it('shows what no font has as its number, and hidden characters too', () => {
    expect(lines('a\u{1f389}b\u202ec', 1e9).map(drawn)).toEqual(['a\\u{1f389}b\\u{202e}c']);
  });

  it('draws words from the right in the order in which they are seen, numbers and names from the left', () => {
    const [shalom, olam] = ['שלום', 'עולם'];
    const [line] = lines(`by ${shalom} ${olam} (1).pdf`, 1e9);
    // Within a word the font itself turns the letters round.
    expect(line!.pieces.map(({ text }) => text)).toEqual([
      'by ',
      '(',
      '1',
      ')',
      ' ',
      olam,
      ' ',
      shalom,
      '.pdf',
    ]);
    expect(line!.logical).toBe(`by ${shalom} ${olam} (1).pdf`);
    const [inside] = lines('א [ב] 12 ג (x)', 1e9);
    expect(inside!.pieces.map(({ text }) => text)).toEqual([
      'ג',
      ' ',
      '12',
      ' ',
      '[',
      'ב',
      ']',
      ' ',
      'א',
      ' (x)',
    ]);
    expect(lines('plain', 1e9)[0]!.logical).toBeUndefined();
  });
});
