export interface ContextLine {
  readonly number: number;
  readonly text: string;
  readonly isFinding: boolean;
}

/** What stands around findings; without lines `why` is a sentence. */
export interface ContextWindow {
  readonly fingerprint: string;
  readonly path: string;
  readonly lines: readonly ContextLine[];
  readonly why: string | null;
}

/** Windows of one file that share a line, or follow one another, become one: no line is shown twice. */
export function mergedWindows(windows: readonly ContextWindow[]): readonly ContextWindow[] {
  const merged: ContextWindow[] = [];
  for (const next of windows) {
    let grown = next;
    // One that joins two that stood apart takes in both.
    for (let at = merged.findIndex((one) => touch(one, grown)); at >= 0;) {
      grown = together(merged.splice(at, 1)[0] ?? grown, grown);
      at = merged.findIndex((one) => touch(one, grown));
    }
    merged.push(grown);
  }
  return merged;
}

function touch(one: ContextWindow, other: ContextWindow): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  if (one.path !== other.path || a === undefined || b === undefined) return false;
  return a.first <= b.last + 1 && b.first <= a.last + 1;
}

function rangeOf({ lines, why }: ContextWindow): { first: number; last: number } | undefined {
  const [first, last] = [lines[0], lines.at(-1)];
  return first === undefined || last === undefined || why !== null
    ? undefined
    : { first: first.number, last: last.number };
}

function together(one: ContextWindow, other: ContextWindow): ContextWindow {
  const lines = new Map(one.lines.map((line) => [line.number, line]));
  for (const line of other.lines) {
    const known = lines.get(line.number);
    lines.set(line.number, known === undefined || line.isFinding ? line : known);
  }
  return { ...one, lines: [...lines.values()].toSorted((a, b) => a.number - b.number) };
}
