import { usablesOf } from '../blocks.js';
import type { Json } from '../refusal.js';
import { blocksHtml } from './blocks-html.js';

/** What of these blocks the page cannot draw, or not as something that can be used; empty where it draws all. */
export function undrawn(blocks: unknown): string[] {
  const given = blocks as readonly Json[];
  const html = blocksHtml(given, { people: [], user: String, channel: String });
  const missing = html.match(/\(\w+ is not shown here\)/g) ?? [];
  const drawn = html.match(/ class="(?:field|act)[ "]/g) ?? [];
  const used = usablesOf(given).filter(({ element }) => element['type'] !== 'image');
  return drawn.length === used.length
    ? missing
    : [...missing, `${used.length} buttons and fields, of which ${drawn.length} are drawn`];
}
