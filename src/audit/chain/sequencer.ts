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
  unchained,
  type ChainState,
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
    const records = await this.found(tx, state, isSweep);
    await this.append(tx, state.chainId, records);
    if (records.length >= BATCH) return records.length;
    if (isSweep) await noteSwept(tx, state.settledId);
    if (isSweep) this.sweptAt = now;
    if (state.isMarkOver && now - state.markAt >= SETTLE_MS) await settleMark(tx, now);
    return records.length;
  }

  /** The stragglers first: their ids are lower. */
  private async found(tx: Queryable, state: ChainState, isSweep: boolean): Promise<AuditRecord[]> {
    const late = isSweep
      ? await unchained(tx, { above: state.sweptId, upTo: state.settledId, limit: BATCH })
      : [];
    const limit = BATCH - late.length;
    return limit === 0 ? late : late.concat(await unchained(tx, { above: state.settledId, limit }));
  }

  private async append(tx: Queryable, chainId: string, records: readonly AuditRecord[]): Promise<void> {
    if (records.length === 0) return;
    const head = (await chainHead(tx)) ?? { seq: 0, hash: genesisOf(chainId) };
    await insertLinks(tx, chained(head, records));
  }
}
