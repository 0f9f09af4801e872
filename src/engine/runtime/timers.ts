import type { Clock, Instant } from '../../clock.js';
import type { ExecutionStore } from '../execution-store.js';
import type { Committer } from './committer.js';
import type { CrashPoints } from './crash-points.js';
import { LostClaims } from './lost-claims.js';
import type { RuntimeLog } from './runtime-log.js';

const TIMERS_PER_CLAIM = 500;
// More pending commands than this: the timers wait in their table instead of in memory.
const MAX_DEPTH = 5_000;
const BUSY_MS = 100;
const RETURNED_TIMER_MS = 60_000;

// Reading a workflow costs as much as deciding it. When thousands come due together, those that nobody has in memory are
// read before; for fewer it is not worth the second transaction.
const STORM = 1_000;
const AHEAD_MS = 5_000;
const MAX_AHEAD = 10_000;
const READ_AT_ONCE = 250;
// Half of the cache: what is used now must not have to go for what will be.
const MAX_AHEAD_BYTES = 32 * 1024 * 1024;
// Whoever has work to do has no time for what comes later.
const IDLE_DEPTH = 50;

interface Parts {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly committer: () => Committer;
  readonly crash: CrashPoints;
  readonly log: RuntimeLog;
  readonly incarnation: () => string;
}

/** Claims due timers and wakes their workflows. A timer's row stays until the wake's own commit moves or removes it. */
export class Timers {
  /** Whose wake is under way in this process. */
  private readonly held = new Set<string>();
  private readonly lost = new LostClaims<string>();

  constructor(private readonly parts: Parts) {}

  /** @returns after how many milliseconds to look again for what lies behind. */
  async fire(now: Instant): Promise<number> {
    const { store, committer, incarnation, crash } = this.parts;
    if (committer().depth.count > MAX_DEPTH) return BUSY_MS;
    const workflowIds = await store.claimTimers(incarnation(), now, TIMERS_PER_CLAIM);
    await crash.reach('timer:claimed');
    for (const workflowId of workflowIds) {
      this.held.add(workflowId);
      void this.wakeWorkflow(workflowId, now).finally(() => this.held.delete(workflowId));
    }
    return workflowIds.length === TIMERS_PER_CLAIM ? 0 : 1;
  }

  /** Reads the workflows of a storm of timers before it comes, while there is nothing else to do. */
  async readAhead(now: Instant): Promise<void> {
    const { store, committer, log } = this.parts;
    const isBusy = (): boolean => committer().depth.count > IDLE_DEPTH;
    if (isBusy()) return;
    try {
      const workflowIds = await store.soonDue(now, now + AHEAD_MS, MAX_AHEAD);
      if (workflowIds.length < STORM) return;
      let bytes = 0;
      for (let from = 0; from < workflowIds.length && bytes < MAX_AHEAD_BYTES; from += READ_AT_ONCE) {
        if (isBusy()) return;
        bytes += await committer().readAhead(workflowIds.slice(from, from + READ_AT_ONCE));
      }
    } catch (error) {
      // They will be read when they are due.
      log.debug({ err: error }, 'workflows that are due soon could not be read ahead');
    }
  }

  /** Hands back timers that were claimed for this process without its knowing; without, they would never fire. */
  async reconcile(now: Instant): Promise<void> {
    const { store, incarnation, log } = this.parts;
    const lost = await this.lost.find(
      now,
      () => store.claimedTimers(incarnation()),
      (workflowId) => this.held.has(workflowId),
    );
    if (lost.length === 0) return;
    log.warn({ timers: lost.length }, 'timers were claimed and lost; they fire again');
    await store.unclaimTimers(incarnation(), lost);
  }

  private async wakeWorkflow(workflowId: string, now: Instant): Promise<void> {
    const { store, committer, incarnation, clock, log } = this.parts;
    try {
      const command = {
        kind: 'wake',
        commandId: `timer:${now}`,
        actor: { kind: 'system', id: incarnation() },
      } as const;
      const outcome = await committer().submit(
        workflowId,
        { kind: 'command', command },
        { internal: true, timer: true },
      );
      if (outcome.kind !== 'missing') return;
      log.warn({ workflowId }, 'a timer belongs to no workflow');
    } catch (error) {
      log.error({ err: error, workflowId }, 'a timer could not be given to its workflow');
    }
    await store
      .returnTimer(workflowId, clock.now() + RETURNED_TIMER_MS)
      .catch((error: unknown) => log.error({ err: error, workflowId }, 'a timer could not be handed back'));
  }
}
