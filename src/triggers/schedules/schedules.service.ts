import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { changesBetween } from '../../audit/changes.js';
import { Clock, type Instant } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { CronTimes } from './cron-times.js';
import type { ScheduleSpec } from './schedule-spec.js';
import { ScheduledJobs } from './scheduled-job.js';
import { countOpen, insertRequested, listFirings, type FiringRow } from './sql/firing-rows.js';
import {
  findSchedule,
  insertSchedule,
  listSchedules,
  updateSchedule,
  type ScheduleRow,
} from './sql/schedule-rows.js';

// Somebody presses "run now" again and again: what waits is bounded.
const MAX_REQUESTED = 20;
const MAX_SCHEDULES = 1000;

/** Schedules as people change them. Every change is audited in its own transaction; `actor` is as in AuditEvent. */
@Injectable()
export class Schedules {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly jobs: ScheduledJobs,
  ) {}

  list(after: string | undefined, limit: number): Promise<readonly ScheduleRow[]> {
    return listSchedules(this.database, { after, limit });
  }

  async get(name: string): Promise<ScheduleRow> {
    return (await findSchedule(this.database, name)) ?? missing(name);
  }

  async firings(name: string, limit: number): Promise<readonly FiringRow[]> {
    const { id } = await this.get(name);
    return listFirings(this.database, id, limit);
  }

  knows(kind: string): boolean {
    return this.jobs.find(kind) !== undefined;
  }

  /** When a cron is due next, whether or not there is a schedule of it. @throws InvalidInput */
  nextTimes(spec: Pick<ScheduleSpec, 'cron' | 'timeZone'>, count: number): readonly Instant[] {
    return new CronTimes(spec.cron, spec.timeZone).list(this.clock.now(), count);
  }

  /** @throws InvalidInput naming the field; Conflict when there is one of this name. */
  async create(spec: ScheduleSpec, actor: string): Promise<ScheduleRow> {
    if (!(await this.insert(spec, actor))) {
      throw new Conflict(
        `There is a schedule ${spec.name} already. Change that one, or choose another name.`,
        {
          name: spec.name,
        },
      );
    }
    return this.get(spec.name);
  }

  /** Makes it unless there is one of its name, whatever that one says. @returns whether it was made. */
  ensure(spec: ScheduleSpec, actor: string): Promise<boolean> {
    return this.insert(spec, actor);
  }

  private async insert(spec: ScheduleSpec, actor: string): Promise<boolean> {
    const nextFireAt = await this.check(spec);
    const at = wholeMilliseconds(this.clock);
    return this.database.transaction(async (tx) => {
      if ((await listSchedules(tx, { after: undefined, limit: MAX_SCHEDULES })).length >= MAX_SCHEDULES) {
        throw new Conflict(`There are ${MAX_SCHEDULES} schedules already. Remove one first.`);
      }
      const isNew = await insertSchedule(tx, {
        id: randomUUID(),
        name: spec.name,
        ...columnsOf(spec),
        next_fire_at: spec.enabled ? nextFireAt : null,
        created_at: at,
        created_by: actor,
      });
      if (isNew)
        await audit(tx, {
          at,
          actor,
          verb: 'created',
          name: spec.name,
          data: changesBetween(undefined, { ...spec }),
        });
      return isNew;
    });
  }

  /**
   * Replaces all of it but its name. From a pause, and from another cron, it goes on with what is due from now on.
   *
   * @param version the one that the change was made from.
   * @throws Conflict when it was changed meanwhile.
   */
  async replace(spec: ScheduleSpec, version: number, actor: string): Promise<ScheduleRow> {
    const nextFireAt = await this.check(spec);
    return this.change(spec.name, version, actor, () => ({ spec, nextFireAt, verb: 'changed' }));
  }

  /** Due instants of the time of the pause are not made up for. What waits already still runs. */
  pause(name: string, actor: string): Promise<ScheduleRow> {
    return this.change(name, undefined, actor, (row) => ({
      spec: { ...specOf(row), enabled: false },
      nextFireAt: null,
      verb: 'paused',
    }));
  }

  resume(name: string, actor: string): Promise<ScheduleRow> {
    return this.change(name, undefined, actor, (row) => ({
      spec: { ...specOf(row), enabled: true },
      nextFireAt: new CronTimes(row.cron, row.time_zone).next(this.clock.now()) ?? null,
      verb: 'resumed',
    }));
  }

  private async change(
    name: string,
    version: number | undefined,
    actor: string,
    changed: (row: ScheduleRow) => { spec: ScheduleSpec; nextFireAt: Instant | null; verb: string },
  ): Promise<ScheduleRow> {
    const at = wholeMilliseconds(this.clock);
    await this.database.transaction(async (tx) => {
      const row = (await findSchedule(tx, name, 'FOR UPDATE')) ?? missing(name);
      if (version !== undefined && version !== row.version) throw outdated(row);
      const { spec, nextFireAt, verb } = changed(row);
      const changes = changesBetween({ ...specOf(row) }, { ...spec });
      if (Object.keys(changes).length === 0) return;
      // Due instants that nobody came to yet are not forgotten because of a new description.
      const hasNewTimes = 'enabled' in changes || 'cron' in changes || 'timeZone' in changes;
      const next = hasNewTimes ? (spec.enabled ? nextFireAt : null) : row.next_fire_at;
      await updateSchedule(tx, {
        id: row.id,
        ...columnsOf(spec),
        next_fire_at: next,
        updated_at: at,
        updated_by: actor,
      });
      await audit(tx, { at, actor, verb, name, data: { ...changes, version: row.version + 1 } });
    });
    return this.get(name);
  }

  /** What runs of it now runs on; what waits is forgotten. */
  async remove(name: string, version: number | undefined, actor: string): Promise<void> {
    const at = wholeMilliseconds(this.clock);
    await this.database.transaction(async (tx) => {
      const row = (await findSchedule(tx, name, 'FOR UPDATE')) ?? missing(name);
      if (version !== undefined && version !== row.version) throw outdated(row);
      await tx.query('DELETE FROM schedule WHERE id = $1', [row.id]);
      await audit(tx, { at, actor, verb: 'deleted', name, data: { kind: row.kind, cron: row.cron } });
    });
  }

  /** One run now, beside its times; a paused one may be run too. @returns the instant that it counts as due at. */
  async runNow(name: string, actor: string): Promise<Instant> {
    const at = wholeMilliseconds(this.clock);
    return this.database.transaction(async (tx) => {
      const row = (await findSchedule(tx, name, 'FOR UPDATE')) ?? missing(name);
      if ((await countOpen(tx, row.id)) >= MAX_REQUESTED) {
        throw new Conflict(`Schedule ${name} has ${MAX_REQUESTED} runs waiting already. See its firings.`);
      }
      const dueAt = await insertRequested(tx, {
        scheduleId: row.id,
        kind: row.kind,
        requestedBy: actor,
        now: at,
      });
      await audit(tx, { at, actor, verb: 'run_requested', name, data: { dueAt } });
      return dueAt;
    });
  }

  /** @returns when it would be due next. */
  private async check(spec: ScheduleSpec): Promise<Instant> {
    const next = new CronTimes(spec.cron, spec.timeZone).next(this.clock.now());
    if (next === undefined) throw InvalidInput.field('cron', 'is never due: there is no such date');
    const job = this.jobs.find(spec.kind);
    if (job === undefined) {
      throw InvalidInput.field('kind', `is not known; choose one of: ${this.jobs.kinds.join(', ')}`);
    }
    await job.checkPayload(spec.payload);
    return next;
  }
}

function missing(name: string): never {
  throw new NotFound(`There is no schedule ${name}.`);
}

const outdated = (row: ScheduleRow): Conflict =>
  new Conflict(
    `Schedule ${row.name} was changed by ${row.updated_by} meanwhile. Read it again, and change version ${row.version}.`,
    { version: row.version, updatedBy: row.updated_by, updatedAt: new Date(row.updated_at).toISOString() },
  );

const columnsOf = (spec: ScheduleSpec) => ({
  description: spec.description ?? null,
  kind: spec.kind,
  payload: spec.payload,
  cron: spec.cron,
  time_zone: spec.timeZone,
  catch_up: spec.catchUp,
  catch_up_within_seconds: spec.catchUpWithinSeconds,
  enabled: spec.enabled,
});

const specOf = (row: ScheduleRow): ScheduleSpec => ({
  name: row.name,
  ...(row.description !== null && { description: row.description }),
  kind: row.kind,
  payload: row.payload,
  cron: row.cron,
  timeZone: row.time_zone,
  catchUp: row.catch_up,
  catchUpWithinSeconds: row.catch_up_within_seconds,
  enabled: row.enabled,
});

interface Deed {
  readonly at: Instant;
  readonly actor: string;
  readonly verb: string;
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const audit = (tx: Queryable, { at, actor, verb, name, data }: Deed): Promise<void> =>
  appendAudit(tx, [{ at, actor, action: `schedule.${verb}`, subject: `schedule:${name}`, data }]);
