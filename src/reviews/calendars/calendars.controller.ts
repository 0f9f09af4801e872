import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, VIEWERS, type Principal } from '../../access/principal.js';
import { text } from '../request-fields.js';
import { speaker } from '../review-desk.js';
import type { StoredCalendar } from '../sql/calendars.js';
import { CalendarSpec } from './calendar-spec.js';
import { Calendars } from './calendars.service.js';

const Name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'may hold letters, digits, _ . and -, 100 at most');
const Group = text(200).min(1);

const Calendar = z
  .object({
    name: z.string(),
    timeZone: z.string(),
    hours: z.record(z.string(), z.array(z.string())),
    holidays: z.array(z.string()),
    /** Those whose reviews count by it. */
    groups: z.array(z.string()),
    version: z.number(),
    updatedAt: z.iso.datetime(),
    updatedBy: z.string(),
  })
  .meta({ id: 'WorkingCalendar' });
type Calendar = z.infer<typeof Calendar>;
const CalendarList = z.object({ items: z.array(Calendar) }).meta({ id: 'WorkingCalendars' });
const SavedCalendar = Calendar.extend({
  /** So many reviews that wait were laid into the new hours. */
  rearmed: z.number(),
}).meta({ id: 'SavedWorkingCalendar' });

/** Working calendars: deadlines, reminders and escalation of the groups that have one count their working time. */
@ApiTags('reviews')
@Controller('api/v1/calendars')
export class CalendarsController {
  constructor(private readonly calendars: Calendars) {}

  @Get()
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: CalendarList })
  async list(): Promise<z.infer<typeof CalendarList>> {
    return { items: (await this.calendars.list()).map(viewOf) };
  }

  @Get(':name')
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: Calendar })
  async get(@Param('name', { schema: Name }) name: string): Promise<Calendar> {
    return viewOf(await this.calendars.get(name));
  }

  /** Keeps it, and re-arms what waits by it: the working time that is left stays. */
  @Put(':name')
  @Roles('operator')
  @ApiOkResponse({ standardSchema: SavedCalendar })
  async put(
    @Param('name', { schema: Name }) name: string,
    @Body({ schema: CalendarSpec }) spec: CalendarSpec,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof SavedCalendar>> {
    const { calendar, rearmed } = await this.calendars.put(
      name,
      spec,
      speaker(principal),
      auditActor(principal),
    );
    return { ...viewOf(calendar), rearmed };
  }

  @Delete(':name')
  @HttpCode(204)
  @Roles('operator')
  remove(
    @Param('name', { schema: Name }) name: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.calendars.remove(name, auditActor(principal));
  }

  /** Gives it to a group in place of what that has. */
  @Put(':name/groups/:group')
  @Roles('operator')
  @ApiOkResponse({ standardSchema: Calendar })
  async attach(
    @Param('name', { schema: Name }) name: string,
    @Param('group', { schema: Group }) group: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Calendar> {
    return viewOf(await this.calendars.attach(name, group, auditActor(principal)));
  }

  @Delete(':name/groups/:group')
  @HttpCode(204)
  @Roles('operator')
  detach(
    @Param('name', { schema: Name }) name: string,
    @Param('group', { schema: Group }) group: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.calendars.detach(name, group, auditActor(principal));
  }
}

const viewOf = (calendar: StoredCalendar): Calendar => ({
  name: calendar.name,
  timeZone: calendar.timeZone,
  hours: Object.fromEntries(Object.entries(calendar.hours).map(([day, spans]) => [day, [...(spans ?? [])]])),
  holidays: [...calendar.holidays],
  groups: [...calendar.groups],
  version: calendar.version,
  updatedAt: new Date(calendar.updatedAt).toISOString(),
  updatedBy: calendar.updatedBy,
});
