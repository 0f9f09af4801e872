import type { Instant } from '../../clock.js';

/**
 * What becomes of due instants that nobody was there for: `none` of them fires, the `last` one, or `all`; none that is
 * older than the bound.
 */
export const CATCH_UP = ['none', 'last', 'all'] as const;
export type CatchUp = (typeof CATCH_UP)[number];

/** What fires later than this was missed; a restart takes less. */
export const ON_TIME_MS = 60_000;

/** The due instants of a cron; see CronTimes. */
export interface DueTimes {
  next(after: Instant): Instant | undefined;
  lastBefore(until: Instant, from: Instant): Instant | undefined;
}

export interface CatchUpInput {
  readonly times: DueTimes;
  /** The first due instant that nothing became of yet. */
  readonly nextFireAt: Instant;
  readonly now: Instant;
  readonly catchUp: CatchUp;
  readonly withinMs: number;
  /** How many may fire now; more wait, and their schedule stands still meanwhile. */
  readonly room: number;
}

export interface CatchUpPlan {
  /** Oldest first. */
  readonly fire: readonly Instant[];
  /** Those from `from` on and before `until` are not made up for. */
  readonly missed: { readonly from: Instant; readonly until: Instant } | undefined;
  /** The first that nothing becomes of by this plan; undefined when none comes any more. */
  readonly nextFireAt: Instant | undefined;
}

/** Each due instant from `nextFireAt` to `now` fires once, or is missed, or is left for the next plan. Pure. */
export function planCatchUp(input: CatchUpInput): CatchUpPlan {
  const { times, nextFireAt, now, room } = input;
  if (nextFireAt > now || room <= 0) return { fire: [], missed: undefined, nextFireAt };
  const first = firstToFire(input);
  const fire: Instant[] = [];
  let next = first;
  while (next !== undefined && next <= now && fire.length < room) {
    fire.push(next);
    next = times.next(next);
  }
  const until = first === undefined || first > now ? now + 1 : first;
  const missed = nextFireAt < until ? { from: nextFireAt, until } : undefined;
  return { fire, missed, nextFireAt: next };
}

function firstToFire({ times, nextFireAt, now, catchUp, withinMs }: CatchUpInput): Instant | undefined {
  const onTime = now - ON_TIME_MS;
  if (nextFireAt >= onTime) return nextFireAt;
  const oldest = Math.max(nextFireAt, now - Math.max(withinMs, ON_TIME_MS));
  if (catchUp === 'last') {
    const last = times.lastBefore(onTime, oldest);
    if (last !== undefined) return last;
  }
  const from = catchUp === 'all' ? oldest : onTime;
  return from === nextFireAt ? nextFireAt : times.next(from - 1);
}
