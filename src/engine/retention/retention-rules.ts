const DAY_MS = 86_400_000;

/** The moment before which ended workflows of a name are removed; `undefined`: they are kept for ever. */
export function cutOff(
  name: string,
  defaultDays: number,
  overrides: ReadonlyMap<string, number>,
  now: number,
): number | undefined {
  const days = overrides.get(name) ?? defaultDays;
  return days === 0 ? undefined : now - days * DAY_MS;
}

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
