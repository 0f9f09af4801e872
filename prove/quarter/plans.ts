import type { Plan } from './course.js';

/** Thirteen weeks from Monday, 31 August 2026, with the end of summer time in the eighth and the outage over its next but one Sunday. */
const full: Plan = {
  firstMonday: Date.UTC(2026, 7, 31),
  weeks: 13,
  uploads: 52_500,
  hours: [3, 14],
  zeal: 0.5,
  blind: { week: 1, day: 2 },
  empty: 5,
  outage: 8,
  lateFolds: [2, 6, 9],
  lateDecisions: [3, 10],
  rescans: [3, 7, 10],
  exceptions: [0, 2, 4, 6, 9],
  absences: [1, 4, 7, 11],
  leaves: 4,
};

/** Four weeks around the same Sunday, in which the service is down. */
const small: Plan = {
  firstMonday: Date.UTC(2026, 9, 12),
  weeks: 4,
  uploads: 500,
  hours: [3, 11, 20],
  zeal: 0.3,
  blind: { week: 0, day: 2 },
  empty: 3,
  outage: 1,
  lateFolds: [0, 2],
  lateDecisions: [0, 2],
  rescans: [0, 2],
  exceptions: [0, 2],
  absences: [1],
  leaves: 1,
};

export const PLANS = { small, full } as const;
