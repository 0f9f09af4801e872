import type { KnownBlock } from '@slack/types';
import { section } from '../block-kit.js';
import { proseSpan } from '../slack-text.js';
import type { Course, Step } from './next-steps.js';

const MARKS = { done: '✓', running: '…', failed: '✗', skipped: '–' } as const;

/** `Next: ✓ released · … tagging`, and once the workflow ended: `Done: released, tagged clean, verified`. */
export function courseLine({ steps, end }: Course): string {
  const shown = (step: Step): string => proseSpan(step.words, 80);
  const done = steps.filter(({ state }) => state === 'done' || state === 'skipped').map(shown);
  const failed = steps.filter(({ state }) => state === 'failed').map(shown);
  switch (end) {
    case 'done':
      return `*Done*${done.length === 0 ? '' : `: ${done.join(', ')}`}`;
    case 'failed':
      return `*Failed*: ${[...failed.map((words) => `${words} did not succeed`), ...(failed.length === 0 ? ['the workflow did not succeed'] : [])].join(', ')}${before(done)}. Open it to see why.`;
    case 'stopped':
      return `*Stopped*: the workflow was ended${before(done)}. Open it to see why.`;
    case undefined:
      return steps.length === 0
        ? '*Next*: … the workflow goes on'
        : `*Next*: ${steps.map((step) => `${MARKS[step.state]} ${shown(step)}`).join(' · ')}`;
    default:
      return end satisfies never;
  }
}

const before = (done: readonly string[]): string =>
  done.length === 0 ? '' : ` (before: ${done.join(', ')})`;

export const courseBlock = (course: Course): KnownBlock => section([courseLine(course)]);
