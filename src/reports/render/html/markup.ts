import { escapeHtml, visible } from '../../../outbound/safe-text.js';

// Longer than any object key of which every byte is hidden, so that nothing of one is cut.
export const MAX_SHOWN = 10_000;

/** Markup of ours. Nothing else becomes one. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | readonly Part[];

/** A template whose values are text: every character of it can be seen, none is markup. Its own indentation is left out. */
export const markup = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  new Markup(
    strings.map((string, index) => string.replace(/\n\s*/g, '\n') + written(parts[index] ?? '')).join(''),
  );

/** ` class="…"` of those names that are there. */
export function classed(...names: readonly string[]): Markup {
  const present = names.filter((name) => name !== '');
  return present.length === 0 ? markup`` : markup` class="${present.join(' ')}"`;
}

function written(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return escapeHtml(visible(part, MAX_SHOWN));
  return part.map(written).join('');
}
