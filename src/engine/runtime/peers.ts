import type { Instant } from '../../clock.js';
import type { NodeRecord } from '../execution-store.js';
import { DEAD_AFTER_MS, HEARTBEAT_MS } from './heartbeat.js';

/**
 * Which of the other nodes are dead: those whose heartbeat has not changed for 15 s while this process looked.
 *
 * What the rows say is compared with nothing but itself. Clocks of two nodes differ (one measured PostgreSQL's time
 * before it was set, the other after), and after an outage of the database everybody's heartbeat is as old as one's own.
 */
export class Peers {
  private seen: ReadonlyMap<string, { readonly heartbeatAt: Instant; readonly since: Instant }> = new Map();
  private lookedAt: Instant = -Infinity;

  /** To be called with every heartbeat. @param now of this process. @returns those that are dead. */
  look(nodes: readonly NodeRecord[], now: Instant): readonly NodeRecord[] {
    // Away ourselves (stopped, without the database, or our clock was set): what was seen before says nothing.
    const isNew = now - this.lookedAt > 2 * HEARTBEAT_MS || now < this.lookedAt;
    const before = isNew ? undefined : this.seen;
    this.lookedAt = now;
    const seen = nodes.map(({ incarnation, heartbeatAt }) => {
      const known = before?.get(incarnation);
      return [incarnation, known?.heartbeatAt === heartbeatAt ? known : { heartbeatAt, since: now }] as const;
    });
    this.seen = new Map(seen);
    return nodes.filter(
      ({ incarnation }) => now - (this.seen.get(incarnation)?.since ?? now) >= DEAD_AFTER_MS,
    );
  }
}
