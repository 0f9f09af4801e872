import { z } from 'zod';
import { isTimeZone } from '../../time-zone.js';
import type { WorkingHours } from './working-time.js';

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
type Weekday = (typeof WEEKDAYS)[number];

const MAX_HOLIDAYS = 2000;
const SPAN = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/;

/** `09:00-17:00` in minutes of the day; undefined for what is none. */
function minutesOf(span: string): readonly [number, number] | undefined {
  const [, ...parts] = SPAN.exec(span) ?? [];
  const [fromHour, fromMinute, toHour, toMinute] = parts.map(Number);
  if (fromHour === undefined || fromMinute === undefined || toHour === undefined || toMinute === undefined)
    return undefined;
  const [from, to] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
  return from < to && to <= 1440 ? [from, to] : undefined;
}

const day = z
  .array(z.string().max(11))
  .max(12)
  .superRefine((spans, context) => {
    let last = 0;
    for (const [index, span] of spans.entries()) {
      const [from, to] = minutesOf(span) ?? [];
      const message =
        from === undefined || to === undefined
          ? 'must be hours of one day such as 09:00-17:00; the last ends at 24:00'
          : from < last
            ? 'must begin after the one before has ended'
            : undefined;
      if (message !== undefined) context.addIssue({ code: 'custom', path: [index], message });
      last = to ?? last;
    }
  });

const holiday = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2026-12-25')
  .refine((text) => {
    const at = Date.parse(`${text}T00:00:00Z`);
    return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
  }, 'is no date of the calendar');

/** When a group works, as somebody writes it. */
export const CalendarSpec = z
  .strictObject({
    /** IANA name, as Europe/Berlin. */
    timeZone: z
      .string()
      .max(100)
      .refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin or UTC'),
    /** Of each weekday: `{"mon": ["09:00-12:00", "13:00-17:00"]}`. On a day that is left out nobody works. */
    hours: z
      .strictObject(
        Object.fromEntries(WEEKDAYS.map((name) => [name, day.optional()])) as Record<
          Weekday,
          z.ZodOptional<typeof day>
        >,
      )
      .refine(
        (week) => Object.values(week).some((spans) => (spans?.length ?? 0) > 0),
        'must name working time on one day at least',
      ),
    /** Dates on which nobody works. */
    holidays: z
      .array(holiday)
      .max(MAX_HOLIDAYS)
      .default([])
      .transform((dates) => [...new Set(dates)].sort()),
  })
  .meta({ id: 'WorkingCalendarSpec' });
export type CalendarSpec = z.infer<typeof CalendarSpec>;

export const workingHoursOf = ({ timeZone, hours, holidays }: CalendarSpec): WorkingHours => ({
  timeZone,
  week: WEEKDAYS.map((name) => (hours[name] ?? []).flatMap((span) => [minutesOf(span) ?? []]) as never),
  holidays: new Set(holidays),
});
