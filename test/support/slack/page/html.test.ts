import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocksHtml } from './blocks-html.js';
import { dateText } from './date-text.js';
import { mrkdwnHtml } from './text-html.js';

const names = { people: [], user: (id: string) => `<${id}>`, channel: (id: string) => id };

// What a hostile name is made of, in every order.
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom('<', '>', '&', '"', "'", '`', '*', '_', '~', '|', '!', '@', '^', '\n', '```', '&lt;'),
      fc.constantFrom(
        '<!channel>',
        '<script>',
        '<https://a.example|b>',
        '<javascript:alert(1)|x>',
        '" onclick="',
      ),
      fc.string({ maxLength: 8 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

/** Tags of the HTML, and whether everything outside of them is text. */
function tagsOf(html: string): string[] {
  const tags = html.match(/<[^>]*>/g) ?? [];
  expect(html.replace(/<[^>]*>/g, '')).not.toMatch(/[<>]/);
  return tags;
}

describe('texts on the page of the stand-in', () => {
  it('hold no markup but the page’s own, whatever was written', () => {
    const ours =
      /^<(?:\/?(?:strong|em|s|code|pre|blockquote|time)|br|span class="mention"|\/span|\/a|a href="https?:\/\/[^"<>]*" target="_blank" rel="noopener noreferrer")>$/i;
    fc.assert(
      fc.property(hostile, fc.boolean(), (text, verbatim) => {
        for (const tag of tagsOf(mrkdwnHtml(text, names, verbatim))) expect(tag).toMatch(ours);
      }),
      { numRuns: 2000 },
    );
  });

  it('stay in the attributes that they are put in', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const label = { type: 'plain_text', text };
        const html = blocksHtml(
          [
            {
              type: 'actions',
              block_id: text,
              elements: [
                { type: 'button', action_id: text, value: text, text: label, url: text },
                { type: 'static_select', action_id: 'm', options: [{ text: label, value: text }] },
              ],
            },
            {
              type: 'input',
              block_id: 'i',
              label,
              element: { type: 'plain_text_input', action_id: 'x', initial_value: text },
            },
          ],
          names,
        );
        for (const tag of tagsOf(html)) expect(tag.replace(/"[^"]*"/g, '')).not.toMatch(/\son\w+=/i);
        expect(html).not.toMatch(/href="(?!https?:)/i);
      }),
      { numRuns: 500 },
    );
  });

  it('tell moments in the reader’s time, near days by their names', () => {
    const now = new Date(2027, 0, 15, 12).getTime();
    const at = (day: number) => new Date(2027, 0, day, 9, 5).getTime() / 1000;
    const format = '{date_short_pretty} at {time}';
    expect(dateText(at(15), format, 'then', now)).toBe('today at 09:05');
    expect(dateText(at(16), format, 'then', now)).toBe('tomorrow at 09:05');
    expect(dateText(at(14), format, 'then', now)).toBe('yesterday at 09:05');
    expect(dateText(at(20), format, 'then', now)).toBe('20 Jan 2027 at 09:05');
    expect(dateText(at(15), '{ago}', 'then', now)).toBe('3 hours ago');
    expect(dateText(at(15), '{nothing} {date_num}', 'then', now)).toMatch(/^\{nothing\} 2027-01-15$/);
    expect(dateText(Number.NaN, format, 'then', now)).toBe('then');
  });
});
