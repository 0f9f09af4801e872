import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { CalendarSpec } from '../calendars/calendar-spec.js';
import { WAITING_STATES } from '../rules/review.js';
import type { TimerKind } from '../rules/schedule.js';

/** A working calendar as it is stored. */
export interface StoredCalendar extends CalendarSpec {
  readonly name: string;
  readonly version: number;
  readonly updatedAt: Instant;
  readonly updatedBy: string;
  /** The groups that it is for, by name. */
  readonly groups: readonly string[];
}

interface CalendarRow {
  readonly name: string;
  readonly version: number;
  readonly time_zone: string;
  readonly hours: CalendarSpec['hours'];
  readonly holidays: string[];
  readonly updated_at: string;
  readonly updated_by: string;
  readonly groups: string[];
}

const toCalendar = (row: CalendarRow): StoredCalendar => ({
  name: row.name,
  version: row.version,
  timeZone: row.time_zone,
  hours: row.hours,
  holidays: row.holidays,
  updatedAt: Number(row.updated_at),
  updatedBy: row.updated_by,
  groups: row.groups,
});

const SELECT = `
  SELECT c.*, ARRAY(SELECT g.name FROM working_calendar_group m JOIN access_group g ON g.id = m.group_id
                     WHERE m.calendar = c.name ORDER BY g.name) AS groups
    FROM working_calendar c`;

export async function listCalendars(db: Queryable, limit: number): Promise<StoredCalendar[]> {
  const rows = await db.query<CalendarRow>(`${SELECT} ORDER BY c.name LIMIT $1`, [limit]);
  return rows.map(toCalendar);
}

export async function findCalendar(db: Queryable, name: string): Promise<StoredCalendar | undefined> {
  const [row] = await db.query<CalendarRow>(`${SELECT} WHERE c.name = $1`, [name]);
  return row && toCalendar(row);
}

/** The same, which nobody else changes until the transaction ends. */
export async function lockCalendar(tx: Queryable, name: string): Promise<StoredCalendar | undefined> {
  await tx.query('SELECT 1 FROM working_calendar WHERE name = $1 FOR UPDATE', [name]);
  return findCalendar(tx, name);
}

/** Whether it is still in this version; then it is, until the transaction ends. */
export async function isCalendarStill(tx: Queryable, name: string, version: number): Promise<boolean> {
  const rows = await tx.query('SELECT 1 FROM working_calendar WHERE name = $1 AND version = $2 FOR SHARE', [
    name,
    version,
  ]);
  return rows.length === 1;
}

export const putCalendar = (
  tx: Queryable,
  { name, version, timeZone, hours, holidays, updatedAt, updatedBy }: Omit<StoredCalendar, 'groups'>,
): Promise<unknown> =>
  tx.query(
    `INSERT INTO working_calendar (name, version, time_zone, hours, holidays, updated_at, updated_by)
     VALUES ($1, $2, $3, $4::json, $5, $6, $7)
     ON CONFLICT (name) DO UPDATE SET version = excluded.version, time_zone = excluded.time_zone,
       hours = excluded.hours, holidays = excluded.holidays, updated_at = excluded.updated_at,
       updated_by = excluded.updated_by`,
    [name, version, timeZone, JSON.stringify(hours), holidays, updatedAt, updatedBy],
  );

export const deleteCalendar = (tx: Queryable, name: string): Promise<unknown> =>
  tx.query('DELETE FROM working_calendar WHERE name = $1', [name]);

/** Of the first of these groups that has one. */
export async function calendarOfGroups(
  db: Queryable,
  groups: readonly string[],
): Promise<string | undefined> {
  const rows = await db.query<{ name: string; calendar: string }>(
    `SELECT g.name, m.calendar FROM working_calendar_group m JOIN access_group g ON g.id = m.group_id
      WHERE g.name = ANY ($1)`,
    [groups],
  );
  return groups
    .map((name) => rows.find((row) => row.name === name)?.calendar)
    .find((one) => one !== undefined);
}

/** @returns false when there is no such group. */
export async function setGroupCalendar(tx: Queryable, group: string, calendar: string): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO working_calendar_group (group_id, calendar) SELECT id, $2 FROM access_group WHERE name = $1
     ON CONFLICT (group_id) DO UPDATE SET calendar = excluded.calendar RETURNING group_id`,
    [group, calendar],
  );
  return rows.length === 1;
}

/** @returns false when the group does not have it. */
export async function unsetGroupCalendar(tx: Queryable, group: string, calendar: string): Promise<boolean> {
  const rows = await tx.query(
    `DELETE FROM working_calendar_group m USING access_group g
      WHERE g.id = m.group_id AND g.name = $1 AND m.calendar = $2 RETURNING m.group_id`,
    [group, calendar],
  );
  return rows.length === 1;
}

const WAITS = `state IN (${WAITING_STATES.map((state) => `'${state}'`).join(', ')})`;

/** One review that waits by this calendar. */
export async function calendarUser(tx: Queryable, name: string): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>(
    `SELECT id FROM review WHERE ${WAITS} AND policy->>'calendar' = $1 LIMIT 1`,
    [name],
  );
  return row?.id;
}

/** A review that waits by a calendar, and what the clock is to do to it. */
export interface Scheduled {
  readonly reviewId: string;
  readonly dueAt: Instant | undefined;
  /** Its clock stands still since then. */
  readonly stoppedSince: Instant | undefined;
  readonly timers: readonly {
    readonly kind: TimerKind;
    readonly step: number;
    readonly loop: number;
    readonly at: Instant;
  }[];
}

/**
 * Those that wait by a calendar, with the timers that count working time and are not due yet. Not those whose deadline a
 * person has moved: it stays where they put it. Locks them, by their ids.
 */
export async function scheduledBy(tx: Queryable, name: string, now: Instant): Promise<Scheduled[]> {
  const reviews = await tx.query<{ id: string; due_at: string | null; stopped: string | null }>(
    `SELECT id, due_at,
            CASE WHEN coalesce((policy->>'holdStopsClock')::boolean, false)
                 THEN coalesce(hold->>'since', info->>'since') END AS stopped
       FROM review
      WHERE ${WAITS} AND policy->>'calendar' = $1
        AND NOT EXISTS (SELECT 1 FROM review_event e WHERE e.review_id = review.id AND e.kind = 'postponed')
      ORDER BY id FOR UPDATE OF review`,
    [name],
  );
  const timers = await tx.query<{
    review_id: string;
    kind: TimerKind;
    step: string;
    loop: number;
    fire_at: string;
  }>(
    // What is due already is the timekeeper's.
    `SELECT review_id, kind, step, loop, fire_at FROM review_timer
      WHERE review_id = ANY ($1::uuid[]) AND fired_at IS NULL AND fire_at > $2
        AND kind IN ('remind', 'escalate', 'expire', 'warn')`,
    [reviews.map(({ id }) => id), now],
  );
  const byReview = new Map<string, Scheduled['timers'][number][]>();
  for (const { review_id, kind, step, loop, fire_at } of timers) {
    const known = byReview.get(review_id) ?? [];
    known.push({ kind, step: Number(step), loop, at: Number(fire_at) });
    byReview.set(review_id, known);
  }
  return reviews.map(({ id, due_at, stopped }) => ({
    reviewId: id,
    dueAt: due_at === null ? undefined : Number(due_at),
    stoppedSince: stopped === null ? undefined : Number(stopped),
    timers: byReview.get(id) ?? [],
  }));
}

/** Writes deadlines and timers as they come out now. A change that somebody began before it is made on what is then. */
export async function reschedule(tx: Queryable, changed: readonly Scheduled[], now: Instant): Promise<void> {
  await tx.query(
    `UPDATE review SET due_at = (c->>'dueAt')::bigint, version = version + 1, updated_at = $2
       FROM json_array_elements($1::json) c WHERE id = (c->>'reviewId')::uuid`,
    [JSON.stringify(changed), now],
  );
  await tx.query(
    `UPDATE review_timer SET fire_at = (t->>'at')::bigint
       FROM json_array_elements($1::json) c, json_array_elements(c->'timers') t
      WHERE review_id = (c->>'reviewId')::uuid AND kind = t->>'kind' AND step = (t->>'step')::bigint
        AND loop = (t->>'loop')::int AND fired_at IS NULL`,
    [JSON.stringify(changed)],
  );
}
