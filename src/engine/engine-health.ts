import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { ROLES } from '../config.js';
import { DatabaseClock, MAX_SKEW_MS } from '../database/database-clock.js';
import { HealthCheck, type HealthResult } from '../ops/health.js';
import { ExecutionStore } from './execution-store.js';
import { EngineRuntime } from './runtime/engine-runtime.js';
import { DEAD_AFTER_MS } from './runtime/heartbeat.js';

// Long enough for somebody to look.
const STEP_SHOWN_MS = 600_000;

/** Says whether every role has a live node, and whether this one's heartbeat arrives. */
@Injectable()
export class EngineHealth extends HealthCheck {
  readonly name = 'engine';

  constructor(
    private readonly runtime: EngineRuntime,
    private readonly store: ExecutionStore,
    private readonly clock: Clock,
  ) {
    super();
  }

  async check(): Promise<readonly HealthResult[]> {
    const now = this.clock.now();
    const silentMs = now - this.runtime.keeper.lastBeat;
    const live = (await this.store.listNodes()).filter(
      ({ heartbeatAt }) => now - heartbeatAt < DEAD_AFTER_MS,
    );
    const missing = ROLES.filter((role) => !live.some(({ roles }) => roles.includes(role)));
    const { count } = this.runtime.committer.depth;
    return [
      {
        name: 'engine',
        healthy: silentMs < DEAD_AFTER_MS,
        detail: `${live.length} node(s), ${count} command(s) under way, heartbeat ${silentMs} ms ago`,
        remedy: silentMs < DEAD_AFTER_MS ? undefined : 'Check that PostgreSQL answers this node.',
      },
      {
        name: 'roles',
        healthy: missing.length === 0,
        detail:
          missing.length === 0 ? 'every role has a live node' : `no live node has: ${missing.join(', ')}`,
        remedy: missing.length === 0 ? undefined : `Start a node with ROLES=${missing.join(',')}.`,
      },
      ...this.clockResults(),
      ...(await this.messageResults()),
    ];
  }

  /** Messages between workflows that were given up: somebody may be waiting for them. */
  private async messageResults(): Promise<readonly HealthResult[]> {
    const [oldest] = await this.store.abandonedInbox(1);
    if (oldest === undefined) return [];
    const { kind, sourceWorkflowId, targetWorkflowId, problem } = oldest;
    return [
      {
        name: 'messages between workflows',
        healthy: true,
        degraded: true,
        detail: `given up: ${kind} from ${sourceWorkflowId} to ${targetWorkflowId}: ${problem ?? 'no reason known'}`,
        remedy: `Mend the cause and set abandoned = false, attempts = 0 for it in workflow_inbox (id ${oldest.id}), or delete the row.`,
      },
    ];
  }

  private clockResults(): readonly HealthResult[] {
    if (!(this.clock instanceof DatabaseClock)) return [];
    const skewMs = Math.round(this.clock.skewMs);
    const isOff = Math.abs(skewMs) > MAX_SKEW_MS;
    const { lastStepAt, stepCount } = this.clock;
    const hasStepped = lastStepAt !== undefined && this.clock.now() - lastStepAt < STEP_SHOWN_MS;
    return [
      {
        name: 'clock',
        healthy: true,
        degraded: isOff || hasStepped,
        detail: `PostgreSQL's clock is ${skewMs} ms ahead of this machine's; it stepped ${stepCount} time(s)`,
        remedy:
          isOff || hasStepped
            ? 'Let both machines follow the same NTP servers, and set no clock by hand.'
            : undefined,
      },
    ];
  }
}
