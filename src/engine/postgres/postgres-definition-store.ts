import { appendAudit, type AuditEvent } from '../../audit/audit.js';
import type { Database } from '../../database/database.js';
import { DefinitionStore } from '../definition-store.js';
import { TaskDef, WorkflowDef } from '../model/definition.js';
import { readStored } from './read-stored.js';

class ExistsAlready extends Error {}

/** Definitions in PostgreSQL, as JSON by name and version. */
export class PostgresDefinitionStore extends DefinitionStore {
  constructor(private readonly database: Database) {
    super();
  }

  putWorkflow(def: WorkflowDef, overwrite: boolean, audit: readonly AuditEvent[]): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const onConflict = overwrite
        ? 'DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at'
        : 'DO NOTHING';
      const rows = await tx.query(
        `INSERT INTO workflow_def (name, version, definition, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name, version) ${onConflict} RETURNING name`,
        [def.name, def.version, JSON.stringify(def), def.createTime, def.updateTime],
      );
      if (rows.length === 0) return false;
      await appendAudit(tx, audit);
      return true;
    });
  }

  async workflows(): Promise<readonly WorkflowDef[]> {
    const rows = await this.database.query<{ definition: unknown }>(
      'SELECT definition FROM workflow_def ORDER BY name, version',
    );
    // Parsed, so that one stored before a new property existed gets its default.
    return rows.map(({ definition }) => readStored(WorkflowDef, definition));
  }

  deleteWorkflow(name: string, version: number, audit: readonly AuditEvent[]): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const rows = await tx.query(
        'DELETE FROM workflow_def WHERE name = $1 AND version = $2 RETURNING name',
        [name, version],
      );
      if (rows.length > 0) await appendAudit(tx, audit);
      return rows.length > 0;
    });
  }

  async putTasks(
    defs: readonly TaskDef[],
    overwrite: boolean,
    audit: readonly AuditEvent[],
  ): Promise<boolean> {
    const onConflict = overwrite
      ? 'DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at'
      : 'DO NOTHING';
    const put = this.database.transaction(async (tx) => {
      // In one order everywhere, so that two registrations cannot wait for each other in a ring.
      for (const def of [...defs].sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const rows = await tx.query(
          `INSERT INTO task_def (name, definition, created_at, updated_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (name) ${onConflict} RETURNING name`,
          [def.name, JSON.stringify(def), def.createTime, def.updateTime],
        );
        // Rolls back those before it.
        if (rows.length === 0) throw new ExistsAlready();
      }
      await appendAudit(tx, audit);
      return true;
    });
    return await put.catch((error: unknown) => {
      if (error instanceof ExistsAlready) return false;
      throw error;
    });
  }

  async tasks(): Promise<readonly TaskDef[]> {
    const rows = await this.database.query<{ definition: unknown }>(
      'SELECT definition FROM task_def ORDER BY name',
    );
    return rows.map(({ definition }) => readStored(TaskDef, definition));
  }

  deleteTask(name: string, audit: readonly AuditEvent[]): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const rows = await tx.query('DELETE FROM task_def WHERE name = $1 RETURNING name', [name]);
      if (rows.length > 0) await appendAudit(tx, audit);
      return rows.length > 0;
    });
  }
}
