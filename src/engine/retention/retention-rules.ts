const DAY_MS = 86_400_000;

/** The moment before which ended workflows are removed that are kept for so many days; `undefined`: for ever. */
export const cutOff = (days: number, now: number): number | undefined =>
  days === 0 ? undefined : now - days * DAY_MS;

/** A workflow and those inside it, as far as they are known. */
export interface Family {
  readonly root: string;
  readonly members: readonly string[];
}

/**
 * The families that may go as a whole: everybody in them has ended and nobody is held. A parent goes with its children,
 * never before or after them.
 */
export function removable(
  families: readonly Family[],
  open: ReadonlySet<string>,
  held: ReadonlySet<string>,
): readonly Family[] {
  return families.filter(({ members }) => members.every((id) => !open.has(id) && !held.has(id)));
}
