import type { Queryable } from '../database/queryable.js';
import { workingHoursOf } from '../reviews/calendars/calendar-spec.js';
import { workingTimeBetween, type WorkingHours } from '../reviews/calendars/working-time.js';
import { findCalendar } from '../reviews/sql/calendars.js';

interface Question {
  readonly workflow: string;
  readonly version: number;
  readonly step: string;
  readonly calendar: string;
  readonly from: number;
  readonly to: number;
}

/**
 * For how many seconds questions stood open outside of the working time that they counted by, by workflow, version and step
 * (as JSON). Calendars are taken as they are now.
 */
export async function workingSeconds(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const questions = await db.query<Question>(
    `SELECT w.name AS workflow, w.version, split_part(t.ref, '__', 1) AS step, r.policy ->> 'calendar' AS calendar,
            t.scheduled_at::float8 AS "from", t.ended_at::float8 AS "to"
       FROM unnest($1::text[]) AS c(id) JOIN workflow w ON w.id = c.id JOIN task t ON t.workflow_id = c.id
       JOIN review r ON r.task_id = t.id
      WHERE t.ended_at IS NOT NULL AND t.task_type = 'HUMAN' AND r.policy ->> 'calendar' IS NOT NULL`,
    [ids],
  );
  const hours = new Map<string, WorkingHours | undefined>();
  const off = new Map<string, number>();
  for (const { workflow, version, step, calendar, from, to } of questions) {
    if (!hours.has(calendar)) {
      const found = await findCalendar(db, calendar);
      hours.set(calendar, found && workingHoursOf(found));
    }
    const known = hours.get(calendar);
    // Of a calendar that is gone nobody knows the hours any more: the clock on the wall counts.
    if (known === undefined) continue;
    const key = JSON.stringify([workflow, version, step]);
    const seconds = Math.max(0, to - from - workingTimeBetween(known, from, to)) / 1000;
    off.set(key, (off.get(key) ?? 0) + seconds);
  }
  return off;
}
