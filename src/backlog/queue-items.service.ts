import { Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { Clock, type Instant } from '../clock.js';
import { decodeCursor, encodeCursor, isUuid } from '../cursor.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Conflict, InvalidInput } from '../errors.js';
import { Buckets } from '../s3/buckets.js';
import { lockKeys } from '../verdicts/identity.js';
import { appendVerdict } from '../verdicts/sql/append-verdict.js';
import { openScans, raiseGenerations } from '../verdicts/sql/open-scan.js';
import { findScan, refOf, type ScanRow } from '../verdicts/sql/scan-row.js';
import { storableText } from '../verdicts/text.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { BacklogBell } from './backlog-bell.js';
import { PRIORITY } from './priorities.js';
import { itemView, type ItemAnswer, type ItemPage, type RedriveAnswer } from './queue-view.js';
import { hastenItem, holdItem, removeItem, scanState } from './sql/change-item.js';
import { countLetters, redriveLetters, type DeadLetterFilter } from './sql/dead-letters.js';
import { enqueue } from './sql/enqueue.js';
import { listItems, type ItemFilter, type ItemState } from './sql/list-items.js';
import { pauses } from './sql/pauses.js';

// A start that is under way is over within milliseconds; one that hangs is told as such.
const HOLD_MS = 5_000;
const LOCK_NOT_AVAILABLE = '55P03';
/** Bounds one transaction; whoever wants more calls again. */
export const MAX_REDRIVEN = 5_000;
const CANCELLED = 'cancelled_by_operator';

/** Single items of the backlog, as people look at them and change them. */
@Injectable()
export class QueueItems {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly buckets: Buckets,
    private readonly bell: BacklogBell,
  ) {}

  /** One page. @throws InvalidInput for a cursor that is none. */
  async list(args: {
    readonly state: ItemState;
    readonly filter: ItemFilter;
    readonly cursor?: string | undefined;
    readonly limit: number;
  }): Promise<ItemPage> {
    const { state, filter, cursor, limit } = args;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, isUuid);
    const rows = await listItems(this.database, { state, filter, after, limit: limit + 1 });
    const isHeld = state === 'waiting' || state === 'postponed';
    const stopped = isHeld && rows.length > 0 ? await pauses(this.database) : [];
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: shown.map((row) => itemView(row, state, stopped)),
      ...(rows.length > limit && last && { nextCursor: encodeCursor({ at: last.place, id: last.scan_id }) }),
    };
  }

  /**
   * Lets an item start as soon as it may: one that waits at once, with a new count of tries; a dead letter from where it
   * was; and of a scan that is over, its object is scanned once more.
   *
   * @throws NotFound, Conflict for one that runs.
   */
  async requeue(scanId: string, actor: string, priority?: number): Promise<ItemAnswer> {
    const answer = await this.holding(scanId, async (tx, scan, held) => {
      const now = wholeMilliseconds(this.clock);
      const again = held === undefined ? await this.scanAgain(tx, scan, { actor, priority, now }) : undefined;
      if (held === 'dead') await redriveLetters(tx, { scanId }, { now, limit: 1 });
      if (held !== undefined) await hastenItem(tx, { scanId, priority, now });
      await appendAudit(tx, [
        {
          at: now,
          actor,
          action: 'scan.requeued',
          subject: `object:${scan.object_id}`,
          data: { scanId, was: held ?? 'over', ...(again && { newScanId: again.scanId }) },
        },
      ]);
      const { object_id: objectId, workflow_id: workflowId } = scan;
      return again ?? { scanId, objectId, workflowId, state: 'waiting' as const };
    });
    this.bell.ring();
    return answer;
  }

  /**
   * Takes an item out of the backlog, or gives a dead letter up. The ledger says `skipped` of an object of which nothing
   * else is known; one that was scanned before keeps what that scan found.
   *
   * @throws NotFound, Conflict for one that runs or is over.
   */
  async cancel(scanId: string, actor: string, reason?: string): Promise<ItemAnswer> {
    return this.holding(scanId, async (tx, scan, held) => {
      if (held === undefined) throw await this.notWaiting(tx, scanId);
      const at = wholeMilliseconds(this.clock);
      await removeItem(tx, { scanId, at, reason: CANCELLED });
      const { object_id: objectId, generation } = scan;
      if (scan.verdict_generation < 1 || scan.verdict_generation === generation) {
        await appendVerdict(tx, {
          objectId,
          scanId,
          generation,
          verdict: 'skipped',
          reason: CANCELLED,
          ...(reason !== undefined && { detail: reason }),
          engines: [],
          bytesScanned: 0,
          bytesTotal: scan.size_bytes ?? 0,
          notCovered: [],
          at,
          actor,
        });
      }
      const data = {
        scanId,
        was: held,
        ...(reason !== undefined && { reason: storableText(reason, 1000) }),
      };
      await appendAudit(tx, [{ at, actor, action: 'scan.cancelled', subject: `object:${objectId}`, data }]);
      return { scanId, objectId, workflowId: null, state: 'cancelled' as const };
    });
  }

  /**
   * Moves dead letters that match back to where they waited, at most {@link MAX_REDRIVEN} in one call.
   *
   * @param newWorkflow the definition to start instead of the one that was refused.
   */
  async redrive(filter: DeadLetterFilter, actor: string, newWorkflow?: string): Promise<RedriveAnswer> {
    const now = wholeMilliseconds(this.clock);
    const redriven = await this.database.transaction(async (tx) => {
      const scans = await redriveLetters(tx, filter, { now, limit: MAX_REDRIVEN, newWorkflow });
      if (scans.length === 0) return 0;
      const { scanId, bucket } = filter;
      await appendAudit(tx, [
        {
          at: now,
          actor,
          action: 'backlog.redriven',
          subject: scanId === undefined ? `queue:${bucket ?? 'all'}` : `scan:${scanId}`,
          data: { ...filter, ...(newWorkflow !== undefined && { newWorkflow }), count: scans.length },
        },
      ]);
      return scans.length;
    });
    if (redriven > 0) this.bell.ring();
    return { redriven, left: await countLetters(this.database, filter) };
  }

  private async holding<T>(
    scanId: string,
    work: (tx: Queryable, scan: ScanRow, held: Awaited<ReturnType<typeof holdItem>>) => Promise<T>,
  ): Promise<T> {
    // Says so at once where there is no such scan; which key's lock is needed stands in it too.
    const known = await findScan(this.database, scanId);
    try {
      return await this.database.transaction(async (tx) => {
        // The item before the key and the object: a dispatcher that holds it waits for neither.
        const held = await holdItem(tx, scanId, HOLD_MS);
        const state = await scanState(tx, scanId);
        if (state?.started_at !== null && state?.verdict_at === null && state.closed_at === null)
          throw await this.notWaiting(tx, scanId);
        await lockKeys(tx, [refOf(known)]);
        return work(tx, await findScan(tx, scanId, { lock: true }), held);
      });
    } catch (error) {
      if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
      const sentence = 'It is being started or changed at this moment. Look at it again in a few seconds.';
      throw new Conflict(sentence, { state: 'busy' }, { cause: error });
    }
  }

  private async notWaiting(tx: Queryable, scanId: string): Promise<Conflict> {
    const state = await scanState(tx, scanId);
    const isOver = state === undefined || state.verdict_at !== null || state.closed_at !== null;
    return isOver
      ? new Conflict('The scan is over already; only what waits can be cancelled.', { state: 'over' })
      : new Conflict('The scan runs already. Terminate its workflow to end it.', { state: 'running' });
  }

  private async scanAgain(
    tx: Queryable,
    scan: ScanRow,
    wanted: { readonly actor: string; readonly priority?: number | undefined; readonly now: Instant },
  ): Promise<ItemAnswer> {
    const ref = refOf(scan);
    if (this.buckets.find(ref.endpointId, ref.bucket) === undefined) {
      throw InvalidInput.field('scanId', `its bucket ${ref.bucket} is not registered any more`);
    }
    const { now: at, actor, priority = PRIORITY.request } = wanted;
    const objectId = scan.folded_into ?? scan.object_id;
    const { workflow_name: workflowName = '' } = (await scanState(tx, scan.scan_id)) ?? {};
    const raised = await raiseGenerations(tx, [objectId]);
    const [opened] = await openScans(tx, [
      {
        objectId,
        generation: raised.get(objectId) ?? 1,
        origin: 'request',
        requestedBy: actor,
        openedObject: false,
        workflowName,
        at,
      },
    ]);
    if (opened === undefined) throw new Error('a scan was opened without an id');
    const sizeBytes = scan.size_bytes ?? undefined;
    await enqueue(tx, [
      { ...opened, objectId, ref, priority, workflowName, source: 'request', sizeBytes, at },
    ]);
    return { ...opened, objectId, state: 'waiting' };
  }
}
