import { visible } from '../outbound/safe-text.js';

/** Something that an engine did not look at. */
export interface Gap {
  /** Inside nested archives; empty for the object itself. */
  readonly path: string;
  readonly reason: string;
  readonly detail?: string | undefined;
}

const SHOWN = 20;

/** What was not looked at, a line each; of many the first, and how many there are. */
export function gapLines(gaps: readonly Gap[], total = gaps.length): string[] {
  const shown = gaps.slice(0, SHOWN).map(({ path, reason, detail = '' }) => {
    const parts = [path === '' ? 'the object itself' : path, reason.replaceAll('_', ' '), detail];
    return `not looked at  ${visible(parts.filter((part) => part !== '').join('  '), 800)}`;
  });
  return total > shown.length ? [...shown, `${total - shown.length} more were not looked at`] : shown;
}
