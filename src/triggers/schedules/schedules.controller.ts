import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, VIEWERS, Roles, type Principal } from '../../access/principal.js';
import { decodeCursor, encodeCursor, isText } from '../../cursor.js';
import { CATCH_UP } from './catch-up.js';
import { DEFAULT_CATCH_UP_SECONDS } from './schedule-spec.js';
import {
  firingView,
  FiringsPage,
  NextTimes,
  SchedulePage,
  ScheduleView,
  scheduleView,
} from './schedule-view.js';
import { ScheduleRunner } from './schedule-runner.js';
import { Schedules } from './schedules.service.js';

const storable = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\u0000') && value.isWellFormed(), 'must not contain NUL');

const Name = storable(100).regex(
  /^[a-z0-9][a-z0-9_.-]*$/,
  'must begin with a small letter or digit, and have only small letters, digits, _ . and -',
);

const fields = {
  description: storable(1000).optional(),
  kind: storable(100).min(1),
  payload: z.record(z.string(), z.any()).default({}),
  cron: storable(200).min(1),
  timeZone: storable(100).min(1).default('UTC'),
  catchUp: z.enum(CATCH_UP).default('last'),
  /** A minute to 90 days. */
  catchUpWithinSeconds: z.int().min(60).max(7_776_000).default(DEFAULT_CATCH_UP_SECONDS),
  enabled: z.boolean().default(true),
};
const NewSchedule = z.strictObject({ name: Name, ...fields }).meta({ id: 'NewSchedule' });
const ChangedSchedule = z
  .strictObject({
    ...fields,
    /** As last read: a change made meanwhile is a conflict. */
    version: z.int().min(1),
  })
  .meta({ id: 'ChangedSchedule' });

const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: storable(400).optional(),
});
const FiringsQuery = z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) });
const TimesQuery = z.object({
  cron: fields.cron,
  timeZone: fields.timeZone,
  count: z.coerce.number().int().min(1).max(100).default(10),
});
const RemoveQuery = z.object({ version: z.coerce.number().int().min(1).optional() });

/** Work that comes again and again. */
@ApiTags('schedules')
@Controller('api/v1/schedules')
@Roles(...VIEWERS)
export class SchedulesController {
  constructor(
    private readonly schedules: Schedules,
    private readonly runner: ScheduleRunner,
  ) {}

  @Get()
  @ApiOkResponse({ standardSchema: SchedulePage })
  async list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>): Promise<SchedulePage> {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, isText).id;
    const rows = await this.schedules.list(after, query.limit + 1);
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    return {
      items: shown.map((row) => scheduleView(row, this.schedules)),
      ...(rows.length > query.limit && last && { nextCursor: encodeCursor({ at: 0, id: last.name }) }),
    };
  }

  /** When a cron would be due: for whoever writes one. */
  @Get('times')
  @ApiOkResponse({ standardSchema: NextTimes })
  times(@Query({ schema: TimesQuery }) query: z.infer<typeof TimesQuery>): NextTimes {
    const times = this.schedules.nextTimes(query, query.count);
    return { times: times.map((at) => new Date(at).toISOString()) };
  }

  @Post()
  @ApiCreatedResponse({ standardSchema: ScheduleView })
  @Roles('author')
  async create(
    @Body({ schema: NewSchedule }) body: z.infer<typeof NewSchedule>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ScheduleView> {
    return scheduleView(await this.schedules.create(body, auditActor(principal)), this.schedules);
  }

  @Get(':name')
  @ApiOkResponse({ standardSchema: ScheduleView })
  async one(@Param('name', { schema: Name }) name: string): Promise<ScheduleView> {
    return scheduleView(await this.schedules.get(name), this.schedules);
  }

  @Put(':name')
  @ApiOkResponse({ standardSchema: ScheduleView })
  @Roles('author')
  async replace(
    @Param('name', { schema: Name }) name: string,
    @Body({ schema: ChangedSchedule }) { version, ...spec }: z.infer<typeof ChangedSchedule>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ScheduleView> {
    const row = await this.schedules.replace({ name, ...spec }, version, auditActor(principal));
    return scheduleView(row, this.schedules);
  }

  @Delete(':name')
  @HttpCode(204)
  @Roles('author')
  remove(
    @Param('name', { schema: Name }) name: string,
    @Query({ schema: RemoveQuery }) { version }: z.infer<typeof RemoveQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.schedules.remove(name, version, auditActor(principal));
  }

  @Post(':name/pause')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: ScheduleView })
  @Roles('operator')
  async pause(
    @Param('name', { schema: Name }) name: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ScheduleView> {
    return scheduleView(await this.schedules.pause(name, auditActor(principal)), this.schedules);
  }

  @Post(':name/resume')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: ScheduleView })
  @Roles('operator')
  async resume(
    @Param('name', { schema: Name }) name: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ScheduleView> {
    return scheduleView(await this.schedules.resume(name, auditActor(principal)), this.schedules);
  }

  /** One run beside its times; see its firings for what becomes of it. */
  @Post(':name/run')
  @HttpCode(202)
  @Roles('operator')
  async run(
    @Param('name', { schema: Name }) name: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<{ readonly dueAt: string }> {
    const dueAt = await this.schedules.runNow(name, auditActor(principal));
    this.runner.wake();
    return { dueAt: new Date(dueAt).toISOString() };
  }

  @Get(':name/firings')
  @ApiOkResponse({ standardSchema: FiringsPage })
  async firings(
    @Param('name', { schema: Name }) name: string,
    @Query({ schema: FiringsQuery }) { limit }: z.infer<typeof FiringsQuery>,
  ): Promise<FiringsPage> {
    return { items: (await this.schedules.firings(name, limit)).map(firingView) };
  }
}
