interface Group<T> {
  /** How much time it had, on the scale on which all groups start level. */
  spentMs: number;
  /** Those with something waiting, in the order of their turns. */
  readonly members: Map<string, Set<T>>;
}

export interface FairItem {
  readonly group: string;
  readonly member: string;
}

// Groups that have nothing waiting are remembered while others may still owe them a turn; no more than these.
const MAX_GROUPS = 1_000;

/**
 * Who is next: the group that had the least time so far, in it the members in turn, and each member's items in order.
 *
 * A group that has been away starts level with the one served now: it neither saves up nor has to make up for anything.
 * So a group whose every item takes seconds halves the time of one other group, whatever it puts into the queue.
 */
export class FairQueue<T extends FairItem> {
  private readonly groups = new Map<string, Group<T>>();
  private level = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(item: T): void {
    let group = this.groups.get(item.group);
    if (group === undefined)
      this.groups.set(item.group, (group = { spentMs: this.level, members: new Map() }));
    else if (group.members.size === 0) group.spentMs = Math.max(group.spentMs, this.level);
    const member = group.members.get(item.member);
    if (member === undefined) group.members.set(item.member, new Set([item]));
    else member.add(item);
    this.count += 1;
  }

  take(): T | undefined {
    let next: Group<T> | undefined;
    for (const group of this.groups.values()) {
      if (group.members.size > 0 && (next === undefined || group.spentMs < next.spentMs)) next = group;
    }
    const [turn] = next?.members ?? [];
    if (next === undefined || turn === undefined) return undefined;
    const [name, items] = turn;
    const [item] = items;
    if (item === undefined) return undefined;
    this.level = Math.max(this.level, next.spentMs);
    items.delete(item);
    // To the end of the line.
    next.members.delete(name);
    if (items.size > 0) next.members.set(name, items);
    this.count -= 1;
    return item;
  }

  /** An item of this group took so long. */
  charge(group: string, ms: number): void {
    const known = this.groups.get(group);
    if (known !== undefined) known.spentMs += ms;
    if (this.groups.size <= MAX_GROUPS) return;
    for (const [name, { members, spentMs }] of this.groups) {
      if (members.size === 0 && (spentMs <= this.level || this.groups.size > 2 * MAX_GROUPS))
        this.groups.delete(name);
    }
  }

  /** Takes everything out. */
  drain(): T[] {
    const items = [...this.groups.values()].flatMap(({ members }) =>
      [...members.values()].flatMap((set) => [...set]),
    );
    this.groups.clear();
    this.count = 0;
    return items;
  }
}
