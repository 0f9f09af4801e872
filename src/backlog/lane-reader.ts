import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { AGED_SHARE, AGEING_MS, type Lane, type Waiting } from './admission.js';
import { groupOf, laneHeads, laneIdOf, openQueues, type HeadRow, type LaneRow } from './sql/queue-lanes.js';

// Of one queue; what fits may stand behind so many that do not.
const MAX_HEADS = 1000;
const MIN_HEADS = 4;
const DEEPER = 4;

interface ReadLane {
  readonly row: LaneRow;
  /** How far was read; a queue that gave fewer has no more. */
  wanted: number;
  heads: Waiting[];
  readonly aged: Waiting[];
}

/** The heads of queues, read as far as one look needs them: with 100,000 waiting it holds some hundreds. */
export class LaneReader {
  private readonly read = new Map<string, ReadLane>();

  constructor(
    private readonly db: Queryable,
    private readonly args: {
      readonly now: Instant;
      /** How many may start in this look. */
      readonly places: number;
      readonly assumedBytes: number;
    },
  ) {}

  get lanes(): readonly Lane[] {
    return [...this.read].map(([id, { row, heads, aged, wanted }]) => ({
      id,
      group: groupOf(row),
      heads,
      aged,
      hasMore: heads.length >= wanted && wanted < MAX_HEADS,
    }));
  }

  /** The buckets with an open queue. */
  get rows(): readonly LaneRow[] {
    return [...this.read.values()].map(({ row }) => row);
  }

  /** Begins with the first few of each queue that nobody stopped. */
  async open(): Promise<void> {
    const { places, now } = this.args;
    const most = Math.min(places + 1, MAX_HEADS);
    const rows = await openQueues(this.db, {
      now,
      places,
      fewest: Math.min(MIN_HEADS, most),
      most,
      agedBefore: now - AGEING_MS,
      agedMost: Math.ceil(places / AGED_SHARE) + 1,
    });
    for (const row of rows) {
      const lane = this.laneOf(row);
      (row.is_aged ? lane.aged : lane.heads).push(this.itemOf(row));
    }
    for (const lane of this.read.values()) {
      lane.heads.sort(byTurn);
      lane.aged.sort(byAge);
    }
  }

  /** Reads four times as far into these. */
  async deepen(ids: readonly string[]): Promise<void> {
    const lanes = ids.map((id) => this.read.get(id)).filter((lane) => lane !== undefined);
    for (const lane of lanes) {
      lane.wanted = Math.min(lane.wanted * DEEPER, MAX_HEADS);
      lane.heads = [];
    }
    const wanted = lanes.map(({ row, wanted: its }) => ({ ...row, wanted: its }));
    for (const row of await laneHeads(this.db, wanted, this.args.now))
      this.laneOf(row).heads.push(this.itemOf(row));
    for (const lane of lanes) lane.heads.sort(byTurn);
  }

  private laneOf(row: HeadRow): ReadLane {
    const id = laneIdOf(row);
    const known = this.read.get(id);
    if (known !== undefined) return known;
    const { endpoint_id, bucket, source_class } = row;
    const lane = { row: { endpoint_id, bucket, source_class }, wanted: row.wanted, heads: [], aged: [] };
    this.read.set(id, lane);
    return lane;
  }

  private itemOf(row: HeadRow): Waiting {
    return {
      scanId: row.scan_id,
      priority: row.priority,
      enqueuedAt: row.enqueued_at,
      sizeBytes: row.size_bytes ?? this.args.assumedBytes,
    };
  }
}

// The order of the index; an answer's own order is nobody's promise.
const byAge = (a: Waiting, b: Waiting): number =>
  a.enqueuedAt - b.enqueuedAt || (a.scanId < b.scanId ? -1 : 1);
const byTurn = (a: Waiting, b: Waiting): number => b.priority - a.priority || byAge(a, b);
