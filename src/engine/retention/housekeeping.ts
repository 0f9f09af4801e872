import type { Clock } from '../../clock.js';
import type { Database } from '../../database/database.js';
import type { ExecutionStore } from '../execution-store.js';
import type { PayloadVault } from '../payloads/payload-vault.js';
import type { RuntimeLog } from '../runtime/runtime-log.js';
import type { Retention } from './retention.js';
import { PRUNE_PAYLOAD_LOCATIONS } from '../postgres/sql/payload-locations.js';
import { PRUNE_INBOX, PRUNE_POLLS } from './sql.js';

interface Parts {
  readonly db: Database;
  readonly store: Pick<ExecutionStore, 'pruneCommands'>;
  readonly clock: Clock;
  readonly log: RuntimeLog;
  readonly retention: Retention;
  readonly payloads: PayloadVault | undefined;
}

const EVERY_MS = 600_000;
const DAY_MS = 86_400_000;
const ROWS_PER_STATEMENT = 2_000;
const MAX_STATEMENTS = 500;
const PAUSE_MS = 50;

/** Statements that forget, and for how long each remembers. */
const PRUNED = [
  { statement: PRUNE_POLLS, keptMs: 30 * DAY_MS, what: 'pollers that are gone' },
  { statement: PRUNE_PAYLOAD_LOCATIONS, keptMs: 0, what: 'places for payloads' },
  { statement: PRUNE_INBOX, keptMs: 30 * DAY_MS, what: 'messages that were given up' },
] as const;

/** Every ten minutes: retention, values that nobody refers to, and what nobody asks for any more. */
export class Housekeeping {
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  constructor(private readonly parts: Parts) {}

  start(): void {
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.parts.retention.stop();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { clock, log } = this.parts;
    for (;;) {
      await clock.sleepUntil(clock.now() + EVERY_MS, this.stopping.signal);
      if (this.stopping.signal.aborted) return;
      try {
        await this.once();
      } catch (error) {
        log.warn({ err: error }, 'old executions could not all be removed; the next round goes on');
      }
    }
  }

  /** One round of everything. */
  async once(): Promise<void> {
    const { retention, payloads, log, clock } = this.parts;
    const removed = await retention.round();
    const swept = (await payloads?.sweep(clock.now() - DAY_MS, this.stopping.signal)) ?? 0;
    if (removed > 0 || swept > 0)
      log.info({ removed, swept }, 'old executions and unused values were removed');
    const { db, store } = this.parts;
    await this.prune(DAY_MS, 'recorded commands', (before) =>
      store.pruneCommands(before, ROWS_PER_STATEMENT),
    );
    for (const { statement, keptMs, what } of PRUNED) {
      await this.prune(keptMs, what, async (before) => {
        return (await db.query(`${statement} RETURNING 1`, [before, ROWS_PER_STATEMENT])).length;
      });
    }
  }

  private async prune(
    keptMs: number,
    what: string,
    remove: (before: number) => Promise<number>,
  ): Promise<void> {
    const { clock, log } = this.parts;
    const before = Math.round(clock.now() - keptMs);
    for (let count = 0; count < MAX_STATEMENTS && !this.stopping.signal.aborted; count++) {
      if ((await remove(before)) < ROWS_PER_STATEMENT) return;
      await clock.sleepUntil(clock.now() + PAUSE_MS, this.stopping.signal);
    }
    log.info({ what }, 'more is left than one round removes');
  }
}
