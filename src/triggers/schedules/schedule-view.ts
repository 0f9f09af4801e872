import { z } from 'zod';
import { CATCH_UP } from './catch-up.js';
import type { Schedules } from './schedules.service.js';
import type { FiringRow } from './sql/firing-rows.js';
import type { ScheduleRow } from './sql/schedule-rows.js';

const iso = z.iso.datetime();
const SHOWN_TIMES = 10;

/** A schedule as the API shows it. What is not known is null. */
export const ScheduleView = z
  .object({
    name: z.string(),
    description: z.string().nullable(),
    kind: z.string(),
    /** No job of this kind in the process that answers: another version may know it. */
    kindIsKnown: z.boolean(),
    payload: z.record(z.string(), z.any()),
    cron: z.string(),
    timeZone: z.string(),
    catchUp: z.enum(CATCH_UP),
    catchUpWithinSeconds: z.number(),
    enabled: z.boolean(),
    /** The first due instant that nothing became of yet; null when paused, or when none comes any more. */
    nextFireAt: iso.nullable(),
    /** The next ten from now. */
    nextFireTimes: z.array(iso),
    lastFireAt: iso.nullable(),
    /** `missed`: nobody was there, and its catch-up made up for nothing. */
    lastOutcome: z.enum(['done', 'retrying', 'failed', 'missed']).nullable(),
    lastError: z.string().nullable(),
    version: z.number(),
    createdAt: iso,
    createdBy: z.string(),
    updatedAt: iso,
    updatedBy: z.string(),
  })
  .meta({ id: 'Schedule' });
export type ScheduleView = z.infer<typeof ScheduleView>;

export const SchedulePage = z
  .object({ items: z.array(ScheduleView), nextCursor: z.string().optional() })
  .meta({ id: 'SchedulePage' });
export type SchedulePage = z.infer<typeof SchedulePage>;

export const NextTimes = z.object({ times: z.array(iso) }).meta({ id: 'NextTimes' });
export type NextTimes = z.infer<typeof NextTimes>;

export const FiringsPage = z
  .object({
    items: z.array(
      z.object({
        dueAt: iso,
        state: z.enum(['waiting', 'running', 'done', 'failed', 'missed']),
        /** Who asked for it; null for one of the schedule's own times. */
        requestedBy: z.string().nullable(),
        attempts: z.number(),
        /** When it is tried (again). */
        notBefore: iso.nullable(),
        startedAt: iso.nullable(),
        endedAt: iso.nullable(),
        /** `missed` stands for all due instants before this one. */
        missedUntil: iso.nullable(),
        error: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'ScheduleFirings' });
export type FiringsPage = z.infer<typeof FiringsPage>;

export const scheduleView = (row: ScheduleRow, schedules: Schedules): ScheduleView => ({
  name: row.name,
  description: row.description,
  kind: row.kind,
  kindIsKnown: schedules.knows(row.kind),
  payload: row.payload,
  cron: row.cron,
  timeZone: row.time_zone,
  catchUp: row.catch_up,
  catchUpWithinSeconds: row.catch_up_within_seconds,
  enabled: row.enabled,
  nextFireAt: shown(row.next_fire_at),
  nextFireTimes: row.enabled
    ? schedules
        .nextTimes({ cron: row.cron, timeZone: row.time_zone }, SHOWN_TIMES)
        .map((at) => new Date(at).toISOString())
    : [],
  lastFireAt: shown(row.last_fire_at),
  lastOutcome: row.last_outcome,
  lastError: row.last_error,
  version: row.version,
  createdAt: new Date(row.created_at).toISOString(),
  createdBy: row.created_by,
  updatedAt: new Date(row.updated_at).toISOString(),
  updatedBy: row.updated_by,
});

export const firingView = (row: FiringRow): FiringsPage['items'][number] => ({
  dueAt: new Date(row.due_at).toISOString(),
  state: row.state,
  requestedBy: row.requested_by,
  attempts: row.attempts,
  notBefore: row.state === 'waiting' ? shown(row.look_at) : null,
  startedAt: shown(row.started_at),
  endedAt: shown(row.ended_at),
  missedUntil: shown(row.missed_until),
  error: row.error,
});

const shown = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
