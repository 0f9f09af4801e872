/*
 * A row inside loops is named after its step and the iteration of each loop around it, outermost first: `name__2__3`.
 * No step may have `__` in its name.
 */

const MARK = '__';

/** The step's name in a row's reference name. */
export function stepName(referenceTaskName: string): string {
  const at = referenceTaskName.indexOf(MARK);
  return at < 0 ? referenceTaskName : referenceTaskName.slice(0, at);
}

/** What follows the step's name: `__2__3`; empty outside of loops. */
export function loopPath(referenceTaskName: string): string {
  const at = referenceTaskName.indexOf(MARK);
  return at < 0 ? '' : referenceTaskName.slice(at);
}

/** The path of what runs in an iteration of a loop that is itself at `path`. */
export const inside = (path: string, iteration: number): string => `${path}${MARK}${iteration}`;

/** The part of a path that a step has which is in only so many loops. */
export function outerPath(path: string, loops: number): string {
  if (loops === 0) return '';
  let end = 0;
  for (let i = 0; i < loops; i++) {
    const next = path.indexOf(MARK, end + MARK.length);
    if (next < 0) return path;
    end = next;
  }
  return path.slice(0, end);
}

/** The iteration of the innermost loop; 0 outside of loops. */
export function innermost(path: string): number {
  const at = path.lastIndexOf(MARK);
  return at < 0 ? 0 : Number(path.slice(at + MARK.length));
}

/** Whether what runs at `path` runs in the iterations that `outer` names. */
export const isWithinPath = (path: string, outer: string): boolean =>
  path === outer || outer === '' || path.startsWith(`${outer}${MARK}`);

/** Whether `path` comes after `other`, another path of the same step. */
export function isLater(path: string, other: string): boolean {
  if (path === other) return false;
  const [a, b] = [path, other].map((text) => text.split(MARK).slice(1).map(Number));
  for (const [i, iteration] of (a ?? []).entries()) {
    const difference = iteration - (b?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
