import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { InvalidInput } from '../errors.js';
import { Buckets } from '../s3/buckets.js';
import { storableText } from '../verdicts/text.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { BacklogBell } from './backlog-bell.js';
import { maxRunningOf } from './limits.js';
import { pausesOf, queueKeyOf, type QueueName } from './pause.js';
import { QueueReadings } from './queue-readings.js';
import { pauseView, queueView, type PauseAnswer, type QueueSummary } from './queue-view.js';
import { awaitDispatch } from './sql/dispatch-lock.js';
import { deletePause, insertPause, pauses, type PauseRow } from './sql/pauses.js';
import { laneIdOf, type LaneRow } from './sql/queue-lanes.js';

// A batch of starts is over within milliseconds; whoever stops a queue is not kept waiting for an engine that hangs.
const SETTLE_MS = 2_000;
const LOCK_NOT_AVAILABLE = '55P03';

/** The queues as people see and stop them. A queue is a bucket, a class of sources, both together, or everything. */
@Injectable()
export class Queues {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly buckets: Buckets,
    private readonly readings: QueueReadings,
    private readonly bell: BacklogBell,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** What waits and runs, by queue; the counts are up to a few seconds old. */
  async summary(): Promise<QueueSummary> {
    const [{ waiting, running, dead }, stopped] = await Promise.all([
      this.readings.current(),
      pauses(this.database),
    ]);
    const lanes = new Map<string, LaneRow>();
    for (const row of [...waiting, ...running, ...dead]) lanes.set(laneIdOf(row), row);
    const now = this.clock.now();
    const queues = [...lanes].map(([id, lane]) => {
      const of = <Row extends LaneRow>(rows: readonly Row[]): Row | undefined =>
        rows.find((row) => laneIdOf(row) === id);
      const paused = pausesOf(lane, stopped).length > 0;
      return queueView(lane, { waiting: of(waiting), running: of(running), dead: of(dead), paused, now });
    });
    const sum = (values: readonly { readonly count: number }[]) =>
      values.reduce((total, { count }) => total + count, 0);
    return {
      waiting: sum(waiting),
      running: sum(running),
      dead: sum(dead),
      maxRunning: maxRunningOf(this.config),
      maxRunningBytes: this.config.SCAN_MAX_RUNNING_BYTES,
      pauses: stopped.map(pauseView),
      queues: queues.sort((a, b) => (a.bucket + a.source < b.bucket + b.source ? -1 : 1)),
    };
  }

  /**
   * Starts nothing more of a queue; what runs goes on, and what comes is taken in. Holds until somebody resumes it, over
   * restarts and on every node.
   *
   * @param actor as in AuditEvent
   * @throws InvalidInput for a bucket that is not registered.
   */
  async pause(name: QueueName, actor: string, reason?: string): Promise<PauseAnswer> {
    const queue = this.placed(name);
    const pause: PauseRow = {
      queue: queueKeyOf(queue),
      endpoint_id: queue.endpointId ?? null,
      bucket: queue.bucket ?? null,
      source_class: queue.source ?? null,
      reason: reason === undefined ? null : storableText(reason, 1000),
      paused_by: actor,
      paused_at: wholeMilliseconds(this.clock),
    };
    const changed = await this.database.transaction(async (tx) => {
      if (!(await insertPause(tx, pause))) return false;
      await appendAudit(tx, [
        {
          at: pause.paused_at,
          actor,
          action: 'queue.paused',
          subject: `queue:${pause.queue}`,
          data: { ...queue, ...(reason !== undefined && { reason }) },
        },
      ]);
      return true;
    });
    return { queue: pause.queue, paused: true, changed, settled: await this.settle() };
  }

  /** @param actor as in AuditEvent @throws InvalidInput for a bucket that several endpoints have. */
  async resume(name: QueueName, actor: string): Promise<PauseAnswer> {
    const queue = this.placed(name);
    const key = queueKeyOf(queue);
    const changed = await this.database.transaction(async (tx) => {
      if (!(await deletePause(tx, key))) return false;
      const at = wholeMilliseconds(this.clock);
      await appendAudit(tx, [
        { at, actor, action: 'queue.resumed', subject: `queue:${key}`, data: { ...queue } },
      ]);
      return true;
    });
    this.bell.ring();
    return { queue: key, paused: false, changed, settled: true };
  }

  /** @returns whether starts that a dispatcher had chosen before are over. */
  private async settle(): Promise<boolean> {
    try {
      await this.database.transaction((tx) => awaitDispatch(tx, SETTLE_MS));
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === LOCK_NOT_AVAILABLE) return false;
      throw error;
    }
  }

  /** With the endpoint that is meant. */
  private placed(name: QueueName): QueueName {
    const { endpointId, bucket, source } = name;
    if (bucket === undefined) {
      if (endpointId === undefined) return { source };
      throw InvalidInput.field('endpointId', 'names no queue by itself; name the bucket too');
    }
    if (endpointId !== undefined) {
      if (this.buckets.find(endpointId, bucket) !== undefined) return { endpointId, bucket, source };
      throw InvalidInput.field(
        'bucket',
        `${bucket} is not registered on ${endpointId}; see: sallyport bucket list`,
      );
    }
    const [policy, another] = this.buckets.named(bucket);
    if (policy === undefined) {
      throw InvalidInput.field('bucket', `${bucket} is not a registered bucket; see: sallyport bucket list`);
    }
    if (another !== undefined) {
      throw InvalidInput.field('endpointId', `several endpoints have a bucket ${bucket}; say which is meant`);
    }
    return { endpointId: policy.endpointId, bucket, source };
  }
}
