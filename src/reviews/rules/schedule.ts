import type { Instant } from '../../clock.js';
import type { Policy } from './policy.js';

export const TIMER_KINDS = ['remind', 'escalate', 'expire', 'claim_timeout', 'wake', 'warn'] as const;

/** `remind`, `escalate` and `expire` count from the opening, `claim_timeout` from the claim, `wake` ends a hold; `warn` comes when a quarter of the time until the deadline is left. */
export type TimerKind = (typeof TIMER_KINDS)[number];

/** Something that the clock does to a review; once, by (kind, step, loop). */
export interface Timer {
  readonly kind: TimerKind;
  /** Which reminder, or which step of the escalation; when it began for those that come and go. */
  readonly step: number;
  readonly loop: number;
  readonly at: Instant;
}

/** Moves an instant by working time; plain addition where a queue has no calendar. */
export type Later = (from: Instant, byMs: number) => Instant;
const plainly: Later = (from, byMs) => from + byMs;

/** All that a policy has the clock do, from the opening on. */
export function timersOf(policy: Policy, openedAt: Instant, later: Later = plainly): readonly Timer[] {
  const due = policy.deadlineMs === undefined ? undefined : later(openedAt, policy.deadlineMs);
  const timers: Timer[] = [];
  // What would come with the deadline or after it has nothing left to say.
  const add = (timer: Timer): void => {
    if (due === undefined || timer.at < due) timers.push(timer);
  };
  policy.remindersMs.forEach((afterMs, step) =>
    add({ kind: 'remind', step, loop: 0, at: later(openedAt, afterMs) }),
  );
  policy.escalation.forEach(({ afterMs, everyMs, loops }, step) => {
    for (let loop = 0; loop < loops; loop++)
      add({ kind: 'escalate', step, loop, at: later(openedAt, afterMs + loop * everyMs) });
  });
  if (policy.deadlineMs !== undefined && due !== undefined) {
    // Of the same time as the deadline counts in.
    const at = later(openedAt, policy.deadlineMs - Math.floor(policy.deadlineMs / 4));
    timers.push({ kind: 'warn', step: 0, loop: 0, at }, { kind: 'expire', step: 0, loop: 0, at: due });
  }
  return timers;
}

/** Of a deadline that was moved: comes when less than a quarter of the time is left. */
export const warning = (openedAt: Instant, dueAt: Instant): Timer => ({
  kind: 'warn',
  step: 0,
  loop: 0,
  at: dueAt - Math.floor((dueAt - openedAt) / 4),
});
