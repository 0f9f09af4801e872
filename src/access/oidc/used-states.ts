import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.js';
import type { Database } from '../../database/database.js';
import { LOOK_UP_MS } from '../in-time.js';
import type { PendingSignIn } from './pending-sign-in.js';

/** Sign-ins that were finished, until they would have expired: none is finished twice, on whichever node. */
export class UsedStates {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** @returns false when it was used before. */
  async use({ state, expiresAt }: PendingSignIn): Promise<boolean> {
    await this.db.query('DELETE FROM oidc_used_state WHERE expires_at <= $1', [Math.round(this.clock.now())]);
    const digest = createHash('sha256').update(state).digest();
    const first = await this.db.query(
      `INSERT INTO oidc_used_state (state_sha256, expires_at) VALUES ($1, $2)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [digest, Math.round(expiresAt)],
      LOOK_UP_MS,
    );
    return first.length > 0;
  }
}
