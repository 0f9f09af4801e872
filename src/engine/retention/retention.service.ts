import { appendAudit } from '../../audit/audit.js';
import type { Clock } from '../../clock.js';
import type { Database } from '../../database/database.js';
import { NotFound } from '../../errors.js';
import type { Actor } from '../model/command.js';
import { actorName } from '../runtime/transition.js';
import { waitForRemovals } from './retention-hold.js';

export interface Policies {
  /** 0 keeps executions for ever. */
  readonly defaultDays: number;
  readonly overrides: readonly { readonly workflowName: string; readonly days: number }[];
}

export interface Hold {
  readonly workflowId: string;
  readonly reason: string;
  readonly heldBy: string;
  readonly heldAt: number;
}

const SELECT_HOLD = `
  SELECT workflow_id AS "workflowId", reason, held_by AS "heldBy", held_at::float8 AS "heldAt" FROM workflow_hold`;

/** Policies and holds; every change is audited in its own transaction. */
export class RetentionService {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly defaultDays: number,
  ) {}

  async policies(): Promise<Policies> {
    const overrides = await this.db.query<Policies['overrides'][number]>(
      'SELECT workflow_name AS "workflowName", days FROM retention_policy ORDER BY workflow_name',
    );
    return { defaultDays: this.defaultDays, overrides };
  }

  /** `undefined` days: the default again. */
  async setPolicy(workflowName: string, days: number | undefined, actor: Actor): Promise<void> {
    const at = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      await waitForRemovals(tx);
      if (days === undefined) {
        await tx.query('DELETE FROM retention_policy WHERE workflow_name = $1', [workflowName]);
      } else {
        await tx.query(
          `INSERT INTO retention_policy (workflow_name, days, updated_by, updated_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (workflow_name) DO UPDATE SET days = excluded.days, updated_by = excluded.updated_by,
             updated_at = excluded.updated_at`,
          [workflowName, days, actorName(actor), at],
        );
      }
      await appendAudit(tx, [
        {
          at,
          actor: actorName(actor),
          action: 'retention.changed',
          subject: `workflow-name:${workflowName}`,
          data: { days: days ?? null },
        },
      ]);
    });
  }

  async findHold(workflowId: string): Promise<Hold> {
    const [hold] = await this.db.query<Hold>(`${SELECT_HOLD} WHERE workflow_id = $1`, [workflowId]);
    if (hold === undefined) throw new NotFound(`Execution ${workflowId} is not held.`);
    return hold;
  }

  /** A second hold changes the reason of the first. */
  async layHold(workflowId: string, reason: string, actor: Actor): Promise<Hold> {
    const at = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      // The lock that a removal takes too: either it is gone already, or it sees this hold.
      const found = await tx.query('SELECT 1 FROM workflow WHERE id = $1 FOR KEY SHARE', [workflowId]);
      if (found.length === 0) throw new NotFound(`No such workflow found by id: ${workflowId}`);
      await tx.query(
        `INSERT INTO workflow_hold (workflow_id, reason, held_by, held_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (workflow_id) DO UPDATE SET reason = excluded.reason, held_by = excluded.held_by,
           held_at = excluded.held_at`,
        [workflowId, reason, actorName(actor), at],
      );
      await appendAudit(tx, [
        {
          at,
          actor: actorName(actor),
          action: 'workflow.held',
          subject: `workflow:${workflowId}`,
          data: { reason },
        },
      ]);
    });
    return this.findHold(workflowId);
  }

  async liftHold(workflowId: string, actor: Actor): Promise<void> {
    const at = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      const lifted = await tx.query<{ reason: string }>(
        'DELETE FROM workflow_hold WHERE workflow_id = $1 RETURNING reason',
        [workflowId],
      );
      if (lifted.length === 0) throw new NotFound(`Execution ${workflowId} is not held.`);
      await appendAudit(tx, [
        {
          at,
          actor: actorName(actor),
          action: 'workflow.released',
          subject: `workflow:${workflowId}`,
          data: { reason: lifted[0]?.reason ?? '' },
        },
      ]);
    });
  }
}
