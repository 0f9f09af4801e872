import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { LOG, type Log } from '../../ops/log.js';
import { Recurring } from '../../recurring.js';
import {
  chainHead,
  chainState,
  insertLinks,
  mayChain,
  noteSwept,
  settleMark,
  settleUpTo,
  unchained,
} from '../sql/chain.js';
import { AuditCheckpoints } from './checkpoints.js';
import { chained, genesisOf, type AuditRecord } from './record.js';

const EVERY_MS = 1000;
const BATCH = 1000;
// A turn ends, so that a process that is to stop stops; the next one goes on.
const MOST_BATCHES = 50;
// An insert takes its id a moment before its transaction gets a number; by then it has both.
const SETTLE_MS = 60_000;
const SWEEP_MS = 3_600_000;

/**
 * Chains what was recorded, in one process at a time: events whose transactions committed, each with the hash of the one
 * before. Whoever records an event waits for nothing here.
 */
@Injectable()
export class AuditSequencer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly chaining: Recurring;
  private sweptAt = -Infinity;

  constructor(
    @Inject(LOG) log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly checkpoints: AuditCheckpoints,
  ) {
    this.chaining = new Recurring({
      clock,
      log,
      everyMs: EVERY_MS,
      onFailure: 'could not chain the audit record',
      turn: (signal) => this.turn(signal),
    });
  }

  onApplicationBootstrap(): void {
    this.chaining.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.chaining.stop();
  }

  /** Chains what can be, up to a bound. @returns how many events. */
  async turn(signal?: AbortSignal): Promise<number> {
    let count = 0;
    for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
      if (signal?.aborted === true) break;
      const added = await this.db.transaction((tx) => this.step(tx));
      count += added;
      if (added < BATCH) break;
    }
    await this.checkpoints.signIfDue();
    return count;
  }

  private async step(tx: Queryable): Promise<number> {
    if (!(await mayChain(tx))) return 0;
    const now = Math.round(this.clock.now());
    // Before the events are read: what is said of transactions then holds for all that is seen afterwards.
    const state = await chainState(tx);
    const isSweep = now - this.sweptAt >= SWEEP_MS;
    // The stragglers first: their ids are lower.
    const late = isSweep
      ? await unchained(tx, { above: state.sweptId, upTo: state.settledId, limit: BATCH })
      : [];
    const limit = BATCH - late.length;
    const records = limit === 0 ? late : late.concat(await unchained(tx, { above: state.settledId, limit }));
    await this.append(tx, state.chainId, records);
    const isSettled = state.isMarkOver && now - state.markAt >= SETTLE_MS;
    const last = records.at(-1);
    if (isSweep && limit > 0) {
      await noteSwept(tx, state.settledId);
      this.sweptAt = now;
    }
    if (records.length < BATCH) {
      if (isSettled) await settleMark(tx, now);
    } else if (state.markAt === 0) await settleMark(tx, now);
    // Of much that was never chained, each batch begins where the last one ended.
    else if (isSettled && last !== undefined) await settleUpTo(tx, last.id);
    return records.length;
  }

  private async append(tx: Queryable, chainId: string, records: readonly AuditRecord[]): Promise<void> {
    if (records.length === 0) return;
    const head = (await chainHead(tx)) ?? { seq: 0, hash: genesisOf(chainId) };
    await insertLinks(tx, chained(head, records));
  }
}
