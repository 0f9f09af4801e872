import type { Logger } from 'pino';
import type { Clock } from '../../clock.js';
import type { Database } from '../../database/database.js';
import { Recurring } from '../../recurring.js';
import { uuid5 } from '../../uuid5.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { planCatchUp } from './catch-up.js';
import { CronTimes } from './cron-times.js';
import type { ScheduledJob, ScheduledJobs } from './scheduled-job.js';
import { claimFirings, extendLease, type ClaimedFiring, type HeldFiring } from './sql/claim-firings.js';
import { lockDue, storePlan, type DueSchedule } from './sql/due-schedules.js';
import { endFiring, pruneFirings } from './sql/end-firing.js';

const LOOK_EVERY_MS = 1000;
const SCHEDULES_AT_ONCE = 50;
// What waits of one schedule; beyond that it stands still, so that a job that hangs fills no table.
const MAX_OPEN_FIRINGS = 100;
const KEPT_FIRINGS = 200;
/** Jobs that run at the same time in one process. */
const MAX_RUNNING = 8;

const LEASE_MS = 60_000;
// Two lost renewals are a hiccup; the third is a dead process.
const RENEW_EVERY_MS = LEASE_MS / 3;
const MAX_RUN_MS = 3_600_000;

/** With the delays below, half an hour after the first. */
export const MAX_ATTEMPTS = 10;
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 600_000;

export interface SchedulerParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly jobs: ScheduledJobs;
  readonly log: Logger;
}

/**
 * Makes a row of each due instant, and runs the rows. Nodes share both by row locks: the unique row makes an instant
 * fire once however many look, and the lease on it makes another node run it again when one dies on it.
 */
export class Scheduler {
  private readonly looks: Recurring;
  private readonly stopping = new AbortController();
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly parts: SchedulerParts) {
    const { clock, log } = parts;
    this.looks = new Recurring({
      clock,
      log,
      everyMs: LOOK_EVERY_MS,
      onFailure: 'schedules could not be looked at',
      turn: () => this.turn(),
    });
  }

  start(): void {
    this.looks.start();
  }

  /** Somebody asked for a run: looks at once. */
  wake(): void {
    this.looks.wake();
  }

  /** Begins nothing more, and waits for the jobs that run; they are told by their signals. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.looks.stop();
    await this.settled();
  }

  /** Resolves when none of the jobs that run now runs any more. */
  async settled(): Promise<void> {
    await Promise.all(this.running);
  }

  /** One look: plans what is due, and begins what may run. */
  async turn(): Promise<void> {
    const { database, clock, jobs } = this.parts;
    const { kinds } = jobs;
    await this.plan();
    const free = MAX_RUNNING - this.running.size;
    if (free <= 0 || this.stopping.signal.aborted) return;
    const now = wholeMilliseconds(clock);
    const claimed = await claimFirings(database, { now, leaseUntil: now + LEASE_MS, kinds, limit: free });
    for (const firing of claimed) this.begin(firing);
  }

  /** Makes rows of all that is due now. */
  private plan(): Promise<void> {
    const { database, clock, jobs } = this.parts;
    return database.transaction(async (tx) => {
      const now = wholeMilliseconds(clock);
      const due = await lockDue(tx, { now, kinds: jobs.kinds, limit: SCHEDULES_AT_ONCE });
      for (const schedule of due) {
        const plan = planCatchUp({
          times: new CronTimes(schedule.cron, schedule.time_zone),
          nextFireAt: schedule.next_fire_at,
          now,
          catchUp: schedule.catch_up,
          withinMs: schedule.catch_up_within_seconds * 1000,
          room: MAX_OPEN_FIRINGS - schedule.open,
        });
        this.warnOfMissed(schedule, plan.missed);
        await storePlan(tx, { id: schedule.id, kind: schedule.kind, now, ...plan });
        await pruneFirings(tx, schedule.id, KEPT_FIRINGS);
      }
    });
  }

  private warnOfMissed({ name }: DueSchedule, missed: { from: number; until: number } | undefined): void {
    if (missed === undefined) return;
    const facts = {
      schedule: name,
      from: new Date(missed.from).toISOString(),
      until: new Date(missed.until).toISOString(),
    };
    this.parts.log.warn(facts, 'a schedule was due while nobody was there, and does not make up for it');
  }

  private begin(firing: ClaimedFiring): void {
    const { jobs, log } = this.parts;
    const job = jobs.find(firing.kind);
    if (job === undefined) return;
    const run = this.run(job, firing)
      // The lease runs out, and the firing is run again.
      .catch((error: unknown) =>
        log.warn({ err: error, schedule: firing.name }, 'a firing could not be ended'),
      )
      .finally(() => {
        this.running.delete(run);
        this.looks.wake();
      });
    this.running.add(run);
  }

  private async run(job: ScheduledJob, firing: ClaimedFiring): Promise<void> {
    const { clock, log, database } = this.parts;
    const held = { scheduleId: firing.schedule_id, dueAt: firing.due_at, attempt: firing.attempts };
    const error = firing.attempts > MAX_ATTEMPTS ? new Error(DIED) : await this.attempt(job, firing, held);
    const now = wholeMilliseconds(clock);
    if (error === undefined) {
      return void (await endFiring(database, { ...held, state: 'done', lookAt: now, error: undefined, now }));
    }
    log.warn({ err: error, schedule: firing.name, dueAt: firing.due_at }, 'a scheduled job failed');
    const isOver = firing.attempts >= MAX_ATTEMPTS;
    const backOff = Math.min(FIRST_RETRY_MS * 2 ** Math.min(firing.attempts - 1, 20), MAX_RETRY_MS);
    // Another node may go on with it at once.
    const delay = this.stopping.signal.aborted ? 0 : backOff;
    await endFiring(database, {
      ...held,
      state: isOver ? 'failed' : 'waiting',
      lookAt: now + delay,
      // PostgreSQL stores no NUL; what a job throws may quote anything.
      error: error.message.replaceAll('\u0000', '').toWellFormed().slice(0, 1000),
      now,
    });
  }

  /** @returns why it failed. */
  private async attempt(
    job: ScheduledJob,
    firing: ClaimedFiring,
    held: HeldFiring,
  ): Promise<Error | undefined> {
    const over = new AbortController();
    const lost = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, lost.signal]);
    const keeping = this.keep(held, lost, over.signal);
    try {
      await job.run(firing.payload, firing.due_at, {
        id: firingId(firing.schedule_id, firing.due_at),
        scheduleName: firing.name,
        attempt: firing.attempts,
        signal,
      });
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      over.abort();
      await keeping;
    }
  }

  /** Renews the lease until the run is over, for an hour at most; a lost one aborts the run. */
  private async keep(held: HeldFiring, lost: AbortController, over: AbortSignal): Promise<void> {
    const { clock, database, log } = this.parts;
    const end = clock.now() + MAX_RUN_MS;
    while (!over.aborted) {
      await clock.sleepUntil(clock.now() + RENEW_EVERY_MS, over);
      if (over.aborted) return;
      if (clock.now() >= end) return lost.abort(new Error('it ran for more than an hour'));
      try {
        const isHeld = await extendLease(database, held, wholeMilliseconds(clock) + LEASE_MS);
        if (!isHeld) return lost.abort(new Error('the firing is not this process’s any more'));
      } catch (error) {
        log.warn({ err: error }, 'a scheduled job’s lease could not be renewed; tried again soon');
      }
    }
  }
}

const DIED = `whoever ran it died or was stopped, ${MAX_ATTEMPTS} times`;

/** The id of a due instant of a schedule: what its job derives its own ids from. */
export const firingId = (scheduleId: string, dueAt: number): string => uuid5(scheduleId, `due:${dueAt}`);
