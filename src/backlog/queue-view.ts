import { z } from 'zod';
import { isoOf, maybeIso } from '../verdicts/object-view.js';
import { pausesOf } from './pause.js';
import { SOURCE_CLASSES } from './source-class.js';
import { ITEM_STATES, type ItemRow, type ItemState } from './sql/list-items.js';
import type { PauseRow } from './sql/pauses.js';
import type { DeadCount, WaitingCount } from './sql/queue-counts.js';
import type { LaneRow } from './sql/queue-lanes.js';
import type { RunningRow } from './sql/running-scans.js';

const iso = z.iso.datetime();
const count = z.int().min(0);

const QueueView = z
  .object({
    endpointId: z.string(),
    bucket: z.string(),
    source: z.enum(SOURCE_CLASSES),
    waiting: count,
    /** Of those that wait: tried again later, or asked by the rules. */
    postponed: count,
    /** Unknown sizes counted as common ones. */
    waitingBytes: z.number(),
    oldestAt: iso.nullable(),
    oldestAgeSeconds: z.number().nullable(),
    running: count,
    runningBytes: z.number(),
    dead: count,
    paused: z.boolean(),
  })
  .meta({ id: 'Queue' });
export type QueueView = z.infer<typeof QueueView>;

const PauseView = z
  .object({
    queue: z.string(),
    endpointId: z.string().nullable(),
    bucket: z.string().nullable(),
    source: z.enum(SOURCE_CLASSES).nullable(),
    reason: z.string().nullable(),
    pausedBy: z.string(),
    pausedAt: iso,
  })
  .meta({ id: 'QueuePause' });
type PauseView = z.infer<typeof PauseView>;

/** The backlog at a glance. */
export const QueueSummary = z
  .object({
    waiting: count,
    running: count,
    dead: count,
    maxRunning: count,
    maxRunningBytes: z.number(),
    pauses: z.array(PauseView),
    queues: z.array(QueueView),
  })
  .meta({ id: 'QueueSummary' });
export type QueueSummary = z.infer<typeof QueueSummary>;

export const PauseAnswer = z
  .object({
    queue: z.string(),
    paused: z.boolean(),
    /** False: it was so before. */
    changed: z.boolean(),
    /** False: starts that were chosen before are still under way. */
    settled: z.boolean(),
  })
  .meta({ id: 'QueuePauseAnswer' });
export type PauseAnswer = z.infer<typeof PauseAnswer>;

const ItemView = z
  .object({
    scanId: z.uuid(),
    objectId: z.uuid(),
    state: z.enum(ITEM_STATES),
    endpointId: z.string(),
    bucket: z.string(),
    key: z.string(),
    versionId: z.string().nullable(),
    source: z.enum(SOURCE_CLASSES),
    priority: z.int().nullable(),
    workflowName: z.string(),
    workflowVersion: z.int().nullable(),
    workflowId: z.string(),
    sizeBytes: z.number().nullable(),
    enqueuedAt: iso,
    attempts: z.int().nullable(),
    /** When it is tried again. */
    notBefore: iso.nullable(),
    /** The rules ask the object before it may start. */
    undecided: z.boolean(),
    startedAt: iso.nullable(),
    diedAt: iso.nullable(),
    code: z.string().nullable(),
    /** Why the last start failed. */
    reason: z.string().nullable(),
    /** What holds it while it waits; of several pauses the oldest. */
    pause: PauseView.nullable(),
  })
  .meta({ id: 'QueueItem' });
export type ItemView = z.infer<typeof ItemView>;

export const ItemPage = z
  .object({ items: z.array(ItemView), nextCursor: z.string().optional() })
  .meta({ id: 'QueueItemPage' });
export type ItemPage = z.infer<typeof ItemPage>;

/** What became of one item; with new ids where it is another scan of the same object. */
export const ItemAnswer = z
  .object({
    scanId: z.uuid(),
    objectId: z.uuid(),
    workflowId: z.string().nullable(),
    state: z.enum(['waiting', 'cancelled']),
  })
  .meta({ id: 'QueueItemAnswer' });
export type ItemAnswer = z.infer<typeof ItemAnswer>;

export const RedriveAnswer = z
  .object({
    redriven: count,
    /** Match too, and are left for the next call. */
    left: count,
  })
  .meta({ id: 'RedriveAnswer' });
export type RedriveAnswer = z.infer<typeof RedriveAnswer>;

export const pauseView = (row: PauseRow): PauseView => ({
  queue: row.queue,
  endpointId: row.endpoint_id,
  bucket: row.bucket,
  source: row.source_class,
  reason: row.reason,
  pausedBy: row.paused_by,
  pausedAt: isoOf(row.paused_at),
});

export function queueView(
  lane: LaneRow,
  its: {
    readonly waiting: WaitingCount | undefined;
    readonly running: RunningRow | undefined;
    readonly dead: DeadCount | undefined;
    readonly paused: boolean;
    readonly now: number;
  },
): QueueView {
  const oldest = its.waiting?.oldest_at;
  return {
    endpointId: lane.endpoint_id,
    bucket: lane.bucket,
    source: lane.source_class,
    waiting: its.waiting?.count ?? 0,
    postponed: its.waiting?.postponed ?? 0,
    waitingBytes: its.waiting?.bytes ?? 0,
    oldestAt: oldest === undefined ? null : isoOf(oldest),
    oldestAgeSeconds: oldest === undefined ? null : Math.max(0, its.now - oldest) / 1000,
    running: its.running?.count ?? 0,
    runningBytes: its.running?.bytes ?? 0,
    dead: its.dead?.count ?? 0,
    paused: its.paused,
  };
}

/** @param pauses that hold what waits. */
export const itemView = (row: ItemRow, state: ItemState, pauses: readonly PauseRow[]): ItemView => ({
  scanId: row.scan_id,
  objectId: row.object_id,
  state,
  endpointId: row.endpoint_id,
  bucket: row.bucket,
  key: row.key,
  versionId: row.version_id,
  source: row.source_class,
  priority: row.priority,
  workflowName: row.workflow_name,
  workflowVersion: row.workflow_version,
  workflowId: row.workflow_id,
  sizeBytes: row.size_bytes,
  enqueuedAt: isoOf(row.enqueued_at),
  attempts: row.attempts,
  notBefore: maybeIso(row.not_before),
  undecided: row.is_undecided,
  startedAt: maybeIso(row.started_at),
  diedAt: maybeIso(row.died_at),
  code: row.code,
  reason: row.reason,
  pause: oldestOf(pausesOf(row, pauses)),
});

function oldestOf(pauses: readonly PauseRow[]): PauseView | null {
  const [oldest] = [...pauses].sort((one, other) => one.paused_at - other.paused_at);
  return oldest === undefined ? null : pauseView(oldest);
}
