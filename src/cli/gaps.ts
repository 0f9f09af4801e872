import { visible } from '../outbound/safe-text.js';

/** Something that an engine did not look at. */
export interface Gap {
  /** Inside nested archives; empty for the object itself. */
  readonly path: string;
  readonly reason: string;
  readonly detail?: string | undefined;
}

const SHOWN = 20;

/** What was not looked at, a line each; of many the first, and how many there are. What several scanners say is said once. */
export function gapLines(gaps: readonly Gap[], total = gaps.length): string[] {
  const lines = new Set(gaps.map(lineOf));
  const shown = [...lines].slice(0, SHOWN);
  const more = total - gaps.length + lines.size - shown.length;
  return more > 0 ? [...shown, `${more} more were not looked at`] : shown;
}

function lineOf({ path, reason, detail = '' }: Gap): string {
  const parts = [path === '' ? 'the object itself' : path, reason.replaceAll('_', ' '), detail];
  return `not looked at  ${visible(parts.filter((part) => part !== '').join('  '), 800)}`;
}
