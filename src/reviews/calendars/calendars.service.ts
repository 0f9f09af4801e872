import { Injectable } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { appendAudit } from '../../audit/audit.js';
import { changesBetween } from '../../audit/changes.js';
import { Clock, type Instant } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { ReviewWriter } from '../review-writer.js';
import type { Reviewer } from '../rules/review.js';
import {
  calendarOfGroups,
  calendarUser,
  deleteCalendar,
  findCalendar,
  listCalendars,
  lockCalendar,
  putCalendar,
  reschedule,
  scheduledBy,
  setGroupCalendar,
  unsetGroupCalendar,
  type Scheduled,
  type StoredCalendar,
} from '../sql/calendars.js';
import { workingHoursOf, type CalendarSpec } from './calendar-spec.js';
import { NoWorkingTime, workingLater, workingTimeBetween, type WorkingHours } from './working-time.js';

/** Most calendars that are kept. */
export const MAX_CALENDARS = 500;
// One change at a time: which are there, and whose they are.
const CALENDAR_LOCK = 0x5a11_0009;

/**
 * Working calendars: when deadlines, reminders and escalation of reviews count. An edit re-arms what waits: the working time
 * that is left of it stays, and is laid into the new hours from now on.
 */
@Injectable()
export class Calendars {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly writer: ReviewWriter,
  ) {}

  list(): Promise<StoredCalendar[]> {
    return listCalendars(this.db, MAX_CALENDARS);
  }

  /** @throws NotFound */
  async get(name: string): Promise<StoredCalendar> {
    return known(await findCalendar(this.db, name), name);
  }

  /** By which a question counts: the one that it names, else that of the first group which it asks and which has one. */
  async forQuestion(
    named: string | undefined,
    groups: readonly string[],
  ): Promise<StoredCalendar | 'unknown' | undefined> {
    if (named !== undefined) return (await findCalendar(this.db, named)) ?? 'unknown';
    const name = groups.length === 0 ? undefined : await calendarOfGroups(this.db, groups);
    return name === undefined ? undefined : findCalendar(this.db, name);
  }

  /**
   * Keeps a calendar, and re-arms the reviews that wait by it.
   *
   * @returns it, and how many reviews were re-armed.
   * @throws InvalidInput where so little working time is left that a deadline would be out of reach.
   */
  async put(
    name: string,
    spec: CalendarSpec,
    who: Reviewer,
    actor: string,
  ): Promise<{ readonly calendar: StoredCalendar; readonly rearmed: number }> {
    return this.inTurn(async (tx, now) => {
      const before = await lockCalendar(tx, name);
      if (before === undefined && (await listCalendars(tx, MAX_CALENDARS)).length === MAX_CALENDARS)
        throw new Conflict(`There are ${MAX_CALENDARS} calendars already. Delete one.`);
      const told = before && specOf(before);
      if (before !== undefined && isDeepStrictEqual(told, spec)) return { calendar: before, rearmed: 0 };
      const version = (before?.version ?? 0) + 1;
      await putCalendar(tx, { ...spec, name, version, updatedAt: now, updatedBy: actor });
      const rearmed = before === undefined ? 0 : await this.rearm(tx, before, spec, who, now);
      const data = { ...changesBetween(told, spec), version, rearmed };
      const action = before === undefined ? 'calendar.created' : 'calendar.changed';
      await appendAudit(tx, [{ at: now, actor, action, subject: `calendar:${name}`, data }]);
      return { calendar: known(await findCalendar(tx, name), name), rearmed };
    });
  }

  /** @throws NotFound; Conflict while a group has it, or a review waits by it. */
  async remove(name: string, actor: string): Promise<void> {
    await this.inTurn(async (tx, at) => {
      const { groups } = known(await lockCalendar(tx, name), name);
      if (groups.length > 0)
        throw new Conflict(`The group ${groups[0]} has the calendar ${name}. Take it from the group first.`);
      const reviewId = await calendarUser(tx, name);
      if (reviewId !== undefined)
        throw new Conflict(
          `The review ${reviewId} waits by the calendar ${name}. It can be deleted once that is decided.`,
          {
            reviewId,
          },
        );
      await deleteCalendar(tx, name);
      await appendAudit(tx, [
        { at, actor, action: 'calendar.deleted', subject: `calendar:${name}`, data: {} },
      ]);
    });
  }

  /** From now on what asks the group first counts by it; what waits stays as it is. @throws NotFound */
  async attach(name: string, group: string, actor: string): Promise<StoredCalendar> {
    return this.inTurn(async (tx, at) => {
      known(await lockCalendar(tx, name), name);
      if (!(await setGroupCalendar(tx, group, name)))
        throw new NotFound(`No group ${group}. Check its name, also its case.`);
      const data = { group };
      await appendAudit(tx, [{ at, actor, action: 'calendar.attached', subject: `calendar:${name}`, data }]);
      return known(await findCalendar(tx, name), name);
    });
  }

  /** @throws NotFound where the group does not have it. */
  async detach(name: string, group: string, actor: string): Promise<void> {
    await this.inTurn(async (tx, at) => {
      if (!(await unsetGroupCalendar(tx, group, name)))
        throw new NotFound(`The group ${group} does not have the calendar ${name}.`);
      const data = { group };
      await appendAudit(tx, [{ at, actor, action: 'calendar.detached', subject: `calendar:${name}`, data }]);
    });
  }

  private async rearm(
    tx: Queryable,
    before: StoredCalendar,
    after: CalendarSpec,
    who: Reviewer,
    now: Instant,
  ): Promise<number> {
    const [was, is] = [workingHoursOf(before), workingHoursOf(after)];
    const changed: { readonly from: Scheduled; readonly to: Scheduled }[] = [];
    for (const from of await scheduledBy(tx, before.name, now)) {
      const to = laidAnew(from, was, is, now);
      if (!isDeepStrictEqual(from, to)) changed.push({ from, to });
    }
    if (changed.length === 0) return 0;
    await reschedule(
      tx,
      changed.map(({ to }) => to),
      now,
    );
    for (const { from, to } of changed)
      await this.writer.note(tx, to.reviewId, 'rescheduled', who, now, {
        calendar: before.name,
        from: iso(from.dueAt),
        dueAt: iso(to.dueAt),
      });
    return changed.length;
  }

  private inTurn<T>(work: (tx: Queryable, now: Instant) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [CALENDAR_LOCK]);
      return work(tx, Math.round(this.clock.now()));
    });
  }
}

/** What is left of each time, laid into other hours; counted from when the review's clock stopped, where it stands still. */
function laidAnew(scheduled: Scheduled, was: WorkingHours, is: WorkingHours, now: Instant): Scheduled {
  const from = scheduled.stoppedSince ?? now;
  const later = workingLater(is);
  const anew = (at: Instant): Instant => {
    if (at <= from) return at;
    try {
      return later(from, workingTimeBetween(was, from, at));
    } catch (error) {
      if (!(error instanceof NoWorkingTime)) throw error;
      throw InvalidInput.field('hours', `${error.message} of review ${scheduled.reviewId}; name more`, {
        cause: error,
      });
    }
  };
  return {
    ...scheduled,
    dueAt: scheduled.dueAt === undefined ? undefined : anew(scheduled.dueAt),
    timers: scheduled.timers.map((timer) => ({ ...timer, at: anew(timer.at) })),
  };
}

const known = (found: StoredCalendar | undefined, name: string): StoredCalendar => {
  if (found === undefined) throw new NotFound(`No calendar ${name}. See GET /api/v1/calendars.`);
  return found;
};

const specOf = ({ timeZone, hours, holidays }: StoredCalendar): CalendarSpec => ({
  timeZone,
  hours,
  holidays,
});

const iso = (at: Instant | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString();
