import { defanged, visible } from '../../../outbound/safe-text.js';

/*
 * Slack reads `<…>` in texts as links and mentions, and back-ticks, stars and the like as format. A stranger's text
 * goes out escaped, in a code span, with everything hidden made visible, so that `<!channel>` stays nine characters.
 */

/** Of every message: Slack finds no names and addresses in it by itself, and fetches nothing from elsewhere. */
export const LITERALLY = { parse: 'none', link_names: false } as const;
export const NOTHING_UNFURLED = { unfurl_links: false, unfurl_media: false } as const;

/** The three characters that Slack asks to have escaped. */
export const escapeSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Escaped text of at most `max` UTF-16 units, cut before escaping so that no entity is torn. */
export function bounded(text: string, max: number): string {
  let points = Array.from(visible(text, max));
  for (;;) {
    const escaped = escapeSlack(points.join(''));
    if (escaped.length <= max) return escaped;
    // Escaping grows a character five times at most; each round takes off what is surely too much.
    const over = escaped.length - max;
    points = [...points.slice(0, Math.max(0, points.length - 1 - Math.max(1, Math.floor(over / 5)))), '…'];
  }
}

/** A stranger's text as code: literal, never a link, a mention or a format. */
export const codeSpan = (text: string, max: number): string =>
  `\`${bounded(defanged(text).replaceAll('`', 'ˋ'), max - 2) || ' '}\``;

/** A stranger's words in running text: no format survives that could pretend to be ours. */
export const proseSpan = (text: string, max: number): string =>
  bounded(
    defanged(text).replace(/[`*_~|]/g, (character) => LOOKALIKES[character] ?? ''),
    max,
  );

const LOOKALIKES: Readonly<Record<string, string>> = { '`': 'ˋ', '*': '∗', _: '＿', '~': '∼', '|': 'ǀ' };
