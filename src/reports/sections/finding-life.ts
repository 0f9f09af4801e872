import type { Instant } from '../../clock.js';

/** A scan that was judged, with what it tells of one finding's object. */
export interface JudgedScan {
  readonly at: Instant;
  /** By the finding's key. */
  readonly found: ReadonlyMap<string, FoundOnce>;
  /** Whether it would have found this again: it looked at everything for what this is. */
  readonly lookedFor: (key: string) => boolean;
}

export interface FoundOnce {
  /** Somebody answers for it: an exception or the known findings cover it. */
  readonly isCovered: boolean;
}

/** Everything that opens and closes the findings of one object version. */
export interface ObjectLife {
  /** In the order of their generations. */
  readonly scans: readonly JudgedScan[];
  /** When a person decided on the object. */
  readonly decidedAt: readonly Instant[];
  readonly goneAt?: Instant | undefined;
}

export type Closing = 'decided' | 'excepted' | 'rescanned' | 'gone';

/** One change of one finding. */
export interface Turn {
  readonly key: string;
  readonly at: Instant;
  readonly kind: 'new' | 'reopened' | Closing;
}

/**
 * What happened to the findings of an object version, in the order of time. A finding is open from the verdict that tells
 * of it; it is reopened by one that tells of it again after it was closed or covered.
 */
export function turnsOf({ scans, decidedAt, goneAt }: ObjectLife): Turn[] {
  const open = new Set<string>();
  const known = new Set<string>();
  const turns: Turn[] = [];
  const close = (keys: Iterable<string>, at: Instant, kind: Closing): void => {
    for (const key of keys) if (open.delete(key)) turns.push({ key, at, kind });
  };
  const look = ({ at, found, lookedFor }: JudgedScan): void => {
    close(
      [...open].filter((key) => !found.has(key) && lookedFor(key)),
      at,
      'rescanned',
    );
    for (const [key, { isCovered }] of found) {
      if (isCovered) close([key], at, 'excepted');
      else if (!open.has(key)) {
        turns.push({ key, at, kind: known.has(key) ? 'reopened' : 'new' });
        open.add(key);
      }
      known.add(key);
    }
  };
  const deeds = [
    ...scans.map((scan) => ({ at: scan.at, place: 0, run: () => look(scan) })),
    ...decidedAt.map((at) => ({ at, place: 1, run: () => close(open, at, 'decided') })),
    ...(goneAt === undefined ? [] : [{ at: goneAt, place: 2, run: () => close(open, goneAt, 'gone') }]),
  ];
  // A stable sort: what is of one moment stays in the order of the generations.
  for (const { run } of deeds.toSorted((a, b) => a.at - b.at || a.place - b.place)) run();
  return turns;
}

const OPENS: ReadonlySet<Turn['kind']> = new Set(['new', 'reopened']);

/** Of one finding's turns: whether it was open just before a moment. */
export const isOpenAt = (turns: readonly Turn[], at: Instant): boolean => {
  const last = turns.findLast((turn) => turn.at < at);
  return last !== undefined && OPENS.has(last.kind);
};
