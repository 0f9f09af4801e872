/** Something that waits for its turn. Times are milliseconds since the epoch. */
export interface Waiting {
  readonly scanId: string;
  /** 0..99, higher first. */
  readonly priority: number;
  readonly enqueuedAt: number;
  /** What it will have in flight; an assumption where nobody knows. */
  readonly sizeBytes: number;
}

/** One queue, as far as it was read: the items of one bucket and one class. */
export interface Lane {
  readonly id: string;
  /** Who shares: endpoint and bucket. */
  readonly group: string;
  /** The first of it: by priority, then by age. */
  readonly heads: readonly Waiting[];
  /** Whether more wait behind the heads. */
  readonly hasMore: boolean;
  /** The oldest of it that have waited for {@link AGEING_MS}, whatever their priority; oldest first. */
  readonly aged: readonly Waiting[];
}

/** What runs: how many scans, their bytes together, and those of the largest one. */
export interface Load {
  readonly count: number;
  readonly bytes: number;
  readonly largestBytes: number;
}

/** No bound where absent. */
export interface Limits {
  readonly maxRunning?: number | undefined;
  readonly maxRunningBytes?: number | undefined;
}

export interface AdmissionInput {
  readonly lanes: readonly Lane[];
  /** By group. */
  readonly running: ReadonlyMap<string, Load>;
  readonly limits: Limits & { readonly maxRunning: number };
  readonly limitsOf: (group: string) => Limits;
  /** How many were admitted before, ever: says whose turn the next one is. */
  readonly admittedBefore: number;
}

export interface Admission {
  /** Who starts now, in this order. */
  readonly admitted: readonly Waiting[];
  /** Lanes of which no head is left that fits, while there is room: read more of them, and ask again. */
  readonly short: readonly string[];
}

/** Who has waited for so long has a right to one place in {@link AGED_SHARE}, whatever its priority. */
export const AGEING_MS = 600_000;
export const AGED_SHARE = 8;

export const NOTHING_RUNS: Load = { count: 0, bytes: 0, largestBytes: 0 };

/**
 * Who starts now. Pure.
 *
 * Seven places of eight go to the highest priority; within it to the group that has the fewest running, so that one
 * bucket's flood does not hold up another's single upload; within a group to the oldest. The eighth goes to whoever has
 * waited longest, once that is {@link AGEING_MS}: so a flood of uploads never stops a backfill, and an old backfill never
 * holds up uploads.
 *
 * Neither limits nor groups' own limits are exceeded, but for one thing: of what runs, the largest object is not counted
 * among the bytes. So one object is always let through, however large. A large one that has waited for
 * {@link AGEING_MS} has its bytes set aside, and only small ones pass it.
 */
export function admit(input: AdmissionInput): Admission {
  const floor = new Floor(input);
  const taken = new Set<string>();
  const admitted: Waiting[] = [];
  const isFree = ({ scanId }: Waiting): boolean => !taken.has(scanId);
  while (floor.hasRoom) {
    const isAgedTurn = (input.admittedBefore + admitted.length) % AGED_SHARE === AGED_SHARE - 1;
    const next =
      (isAgedTurn ? nextAged(input.lanes, floor, isFree) : undefined) ??
      nextInTurn(input.lanes, floor, isFree);
    if (next === undefined) break;
    if (next.kind === 'short') return { admitted, short: next.lanes };
    taken.add(next.item.scanId);
    admitted.push(next.item);
    floor.take(next.lane.group, next.item);
  }
  return { admitted, short: [] };
}

interface Choice {
  readonly kind: 'item';
  readonly lane: Lane;
  readonly item: Waiting;
}

function nextAged(
  lanes: readonly Lane[],
  floor: Floor,
  isFree: (item: Waiting) => boolean,
): Choice | undefined {
  let best: Choice | undefined;
  for (const lane of lanes) {
    const item = lane.aged.find((one) => isFree(one) && floor.fits(lane.group, one));
    if (item !== undefined && (best === undefined || isOlder(item, best.item)))
      best = { kind: 'item', lane, item };
  }
  return best;
}

function nextInTurn(
  lanes: readonly Lane[],
  floor: Floor,
  isFree: (item: Waiting) => boolean,
): Choice | { readonly kind: 'short'; readonly lanes: readonly string[] } | undefined {
  let best: Choice | undefined;
  const short: string[] = [];
  for (const lane of lanes) {
    if (!floor.hasRoomFor(lane.group)) continue;
    // What is too large for now does not hold up the small ones behind it.
    const item = lane.heads.find((one) => isFree(one) && floor.fits(lane.group, one));
    if (item === undefined) {
      if (lane.hasMore) short.push(lane.id);
    } else if (best === undefined || floor.comesBefore(lane, item, best)) {
      best = { kind: 'item', lane, item };
    }
  }
  return short.length > 0 ? { kind: 'short', lanes: short } : best;
}

/** Where everything runs: who is there, and who is still let in. */
class Floor {
  private all: Load;
  private readonly loads: Map<string, Load>;
  private reservedForAll: Waiting | undefined;
  private readonly reserved = new Map<string, Waiting>();

  constructor(private readonly input: AdmissionInput) {
    this.loads = new Map(input.running);
    this.all = [...input.running.values()].reduce(together, NOTHING_RUNS);
    let oldest: Waiting | undefined;
    for (const lane of input.lanes) {
      if (!this.hasRoomFor(lane.group)) continue;
      const ofAll = lane.aged.find((item) => !this.isSmall(item, input.limits));
      if (ofAll !== undefined && (oldest === undefined || isOlder(ofAll, oldest))) oldest = ofAll;
      const ofGroup = lane.aged.find((item) => !this.isSmall(item, input.limitsOf(lane.group)));
      const known = this.reserved.get(lane.group);
      if (ofGroup !== undefined && (known === undefined || isOlder(ofGroup, known)))
        this.reserved.set(lane.group, ofGroup);
    }
    this.reservedForAll = oldest;
  }

  get hasRoom(): boolean {
    return this.all.count < this.input.limits.maxRunning;
  }

  hasRoomFor(group: string): boolean {
    return this.load(group).count < (this.input.limitsOf(group).maxRunning ?? Infinity);
  }

  fits(group: string, item: Waiting): boolean {
    return (
      this.hasRoomFor(group) &&
      this.hasBytes(this.all, this.input.limits, this.reservedForAll, item) &&
      this.hasBytes(this.load(group), this.input.limitsOf(group), this.reserved.get(group), item)
    );
  }

  take(group: string, item: Waiting): void {
    this.all = plus(this.all, item);
    this.loads.set(group, plus(this.load(group), item));
    if (this.reservedForAll?.scanId === item.scanId) this.reservedForAll = undefined;
    if (this.reserved.get(group)?.scanId === item.scanId) this.reserved.delete(group);
  }

  comesBefore(lane: Lane, item: Waiting, best: Choice): boolean {
    const byPriority = item.priority - best.item.priority;
    if (byPriority !== 0) return byPriority > 0;
    const byLoad = this.load(lane.group).count - this.load(best.lane.group).count;
    return byLoad !== 0 ? byLoad < 0 : isOlder(item, best.item);
  }

  private load(group: string): Load {
    return this.loads.get(group) ?? NOTHING_RUNS;
  }

  private hasBytes(load: Load, limits: Limits, reserved: Waiting | undefined, item: Waiting): boolean {
    const { maxRunningBytes } = limits;
    if (maxRunningBytes === undefined) return true;
    const isReservedFor = reserved === undefined || reserved.scanId === item.scanId;
    const before = isReservedFor || this.isSmall(item, limits) ? load : plus(load, reserved);
    const after = plus(before, item);
    return after.bytes - after.largestBytes <= maxRunningBytes;
  }

  // If every place were taken by small ones, half of the bytes would still be free: they never keep a large one out.
  private isSmall({ sizeBytes }: Waiting, { maxRunningBytes, maxRunning }: Limits): boolean {
    if (maxRunningBytes === undefined) return true;
    const places = Math.min(maxRunning ?? Infinity, this.input.limits.maxRunning);
    return sizeBytes <= maxRunningBytes / (2 * places);
  }
}

const plus = (load: Load, { sizeBytes }: Waiting): Load =>
  together(load, { count: 1, bytes: sizeBytes, largestBytes: sizeBytes });

const together = (a: Load, b: Load): Load => ({
  count: a.count + b.count,
  bytes: a.bytes + b.bytes,
  largestBytes: Math.max(a.largestBytes, b.largestBytes),
});

const isOlder = (a: Waiting, b: Waiting): boolean =>
  a.enqueuedAt !== b.enqueuedAt ? a.enqueuedAt < b.enqueuedAt : a.scanId < b.scanId;
