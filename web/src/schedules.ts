/* Schedules and their firings, as the server says them. Times are ISO 8601. */

export type CatchUp = 'none' | 'last' | 'all';

export interface Schedule {
  readonly name: string;
  readonly description: string | null;
  readonly kind: string;
  readonly kindIsKnown: boolean;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly cron: string;
  readonly timeZone: string;
  readonly catchUp: CatchUp;
  readonly catchUpWithinSeconds: number;
  readonly enabled: boolean;
  readonly nextFireAt: string | null;
  readonly nextFireTimes: readonly string[];
  readonly lastFireAt: string | null;
  readonly lastOutcome: 'done' | 'retrying' | 'failed' | 'missed' | null;
  readonly lastError: string | null;
  readonly version: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

export interface Firing {
  readonly dueAt: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'missed';
  readonly requestedBy: string | null;
  readonly attempts: number;
  readonly notBefore: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly missedUntil: string | null;
  readonly error: string | null;
}

/** What becomes of times at which nobody was there, in words for the person who chooses. */
export const CATCH_UP: Readonly<Record<CatchUp, string>> = {
  none: 'None of them runs',
  last: 'The last of them runs',
  all: 'All of them run',
};

export const schedulePath = (name: string): string => `/schedules/${encodeURIComponent(name)}`;
