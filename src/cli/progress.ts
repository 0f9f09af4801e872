import { durationText } from '../outbound/safe-text.js';
import type { Output } from './output.js';

/** How far some work is. */
export interface Reading {
  readonly done: number;
  /** Unknown while it is still being counted. */
  readonly total?: number | undefined;
  /** What else is to be said: a state, a name. */
  readonly detail?: string | undefined;
}

// Smooth enough to the eye, and no load for a slow terminal.
const DRAW_MS = 100;
// A log of an hour's work is 720 lines.
const PLAIN_MS = 5_000;
const BAR_WIDTH = 28;
const CLEAR = '\r\u001b[2K';

/**
 * One line about long work: drawn again and again where somebody looks on, otherwise written every five seconds, and
 * never where a program reads (`output` undefined).
 */
export class Progress {
  private readonly beganAt: number;
  private shownAt = -Infinity;
  private shown = '';
  private latest: Reading | undefined;
  private told: Reading | undefined;
  private isDrawn = false;

  constructor(
    private readonly unit: string,
    private readonly output: Output | undefined,
    private readonly now: () => number,
  ) {
    this.beganAt = now();
  }

  show(reading: Reading): void {
    if (this.output === undefined) return;
    const { terminal } = this.output;
    const at = this.now();
    this.latest = reading;
    if (at - this.shownAt < (terminal === undefined ? PLAIN_MS : DRAW_MS)) return;
    const line = progressLine(reading, this.unit, at - this.beganAt);
    if (terminal !== undefined) {
      // A longer line would wrap, and what wrapped stays when the next one is drawn.
      terminal.write(`${CLEAR}${fitted(line, terminal.columns() - 1)}`);
      this.isDrawn = true;
    } else if (line !== this.shown) {
      this.output.note(line);
    }
    this.told = reading;
    this.shownAt = at;
    this.shown = line;
  }

  /** Takes the line away; what comes next begins at the left. In a log it is how far the work came. */
  end(): void {
    const { output, latest, told } = this;
    if (
      output !== undefined &&
      output.terminal === undefined &&
      latest !== undefined &&
      !isSame(latest, told)
    ) {
      output.note(progressLine(latest, this.unit, this.now() - this.beganAt));
    }
    this.latest = undefined;
    if (this.isDrawn) this.output?.terminal?.write(CLEAR);
    this.isDrawn = false;
  }
}

const isSame = (a: Reading, b: Reading | undefined): boolean =>
  a.done === b?.done && a.total === b.total && a.detail === b.detail;

/** `███████░░░░░ 25 %  250 of 1000 objects  12 s, about 36 s to go  RUNNING` */
export function progressLine({ done, total, detail }: Reading, unit: string, elapsedMs: number): string {
  const parts: string[] = [];
  if (total !== undefined && total > 0) {
    const share = Math.min(1, Math.max(0, done / total));
    const filled = Math.floor(share * BAR_WIDTH);
    // 100 % only when it is.
    parts.push(`${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${Math.floor(share * 100)} %`);
    parts.push(`${done} of ${total} ${unit}`);
    const toGoMs = share > 0 && share < 1 ? (elapsedMs * (1 - share)) / share : undefined;
    parts.push(
      durationText(elapsedMs) + (toGoMs === undefined ? '' : `, about ${durationText(toGoMs)} to go`),
    );
  } else {
    parts.push(`${done} ${unit}`, durationText(elapsedMs));
  }
  if (detail !== undefined && detail !== '') parts.push(detail);
  return parts.join('  ');
}

function fitted(line: string, columns: number): string {
  const points = Array.from(line);
  return points.length <= columns ? line : points.slice(0, Math.max(0, columns)).join('');
}
