import type { Instant } from '../../clock.js';

const LOOK_EVERY_MS = 10_000;

/**
 * Finds rows that carry this process's name although it does not know them, because the answer to the statement that
 * gave them was lost. Seen twice in a row, since an answer may be on its way.
 */
export class LostClaims<Id> {
  private unknown: ReadonlySet<Id> = new Set();
  private lookedAt: Instant = -Infinity;

  /** Asks `claimed` every ten seconds at most. */
  async find(
    now: Instant,
    claimed: () => Promise<readonly Id[]>,
    isKnown: (id: Id) => boolean,
  ): Promise<readonly Id[]> {
    if (now - this.lookedAt < LOOK_EVERY_MS) return [];
    this.lookedAt = now;
    const unknown = (await claimed()).filter((id) => !isKnown(id));
    const lost = unknown.filter((id) => this.unknown.has(id));
    this.unknown = new Set(unknown);
    return lost;
  }
}
