import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { keepSlackSocket, leaveSlackSocket, takeSlackSocket, type SocketState } from '../sql/sockets.js';

// Slack allows ten connections of an app and sends each payload over any one of them: two, so that one may die unnoticed.
const PLACES = [1, 2] as const;
const LEASE_MS = 15_000;
/** How often a place is looked for, or said to be held still. */
export const LOOK_EVERY_MS = 5_000;

/**
 * The place of this node among those that keep a connection: a leased row, which a node that died loses, and one that
 * sits behind a pooler can hold (docs/decisions/0012, 0020).
 */
@Injectable()
export class SocketPlace {
  private readonly holder = randomUUID();
  private slot: number | undefined;
  private heldUntil: Instant = 0;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** @returns whether this node has one of the places now. */
  async take(): Promise<boolean> {
    const now = Math.round(this.clock.now());
    const heldUntil = now + LEASE_MS;
    for (const slot of PLACES) {
      if (!(await takeSlackSocket(this.db, { slot, holder: this.holder, now, heldUntil }))) continue;
      this.slot = slot;
      this.heldUntil = heldUntil;
      return true;
    }
    return false;
  }

  /** Goes on holding it. @returns false when somebody else has it. @throws when the database does not answer. */
  async keep(state: SocketState): Promise<boolean> {
    const { slot, holder } = this;
    if (slot === undefined) return false;
    const heldUntil = Math.round(this.clock.now()) + LEASE_MS;
    if (!(await keepSlackSocket(this.db, { ...state, slot, holder, heldUntil }))) return false;
    this.heldUntil = heldUntil;
    return true;
  }

  /** Whether somebody else may have taken it since it was last kept. */
  get mayBeLost(): boolean {
    return this.clock.now() > this.heldUntil;
  }

  async leave(): Promise<void> {
    const { slot } = this;
    this.slot = undefined;
    if (slot !== undefined) await leaveSlackSocket(this.db, slot, this.holder);
  }
}
