import type { Queryable } from '../../database/queryable.js';
import { WAITING_STATES } from '../rules/review.js';

/** A form that definitions name, in one of its versions. */
export interface FormTemplate {
  readonly name: string;
  readonly version: number;
  /** JSON Schema of what is filled in. */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  /** How it is laid out; kept for whoever shows it. */
  readonly templateUI: Readonly<Record<string, unknown>>;
  readonly tags: readonly unknown[];
  readonly createdAt: number;
  readonly createdBy: string;
  readonly updatedAt: number;
  readonly updatedBy: string;
}

interface TemplateRow {
  readonly name: string;
  readonly version: number;
  readonly json_schema: Record<string, unknown>;
  readonly template_ui: Record<string, unknown>;
  readonly tags: unknown[];
  readonly created_at: string;
  readonly created_by: string;
  readonly updated_at: string;
  readonly updated_by: string;
}

const toTemplate = (row: TemplateRow): FormTemplate => ({
  name: row.name,
  version: row.version,
  jsonSchema: row.json_schema,
  templateUI: row.template_ui,
  tags: row.tags,
  createdAt: Number(row.created_at),
  createdBy: row.created_by,
  updatedAt: Number(row.updated_at),
  updatedBy: row.updated_by,
});

/** One version, or the newest where none is named; undefined when there is none. */
export async function findTemplate(
  db: Queryable,
  name: string,
  version?: number,
): Promise<FormTemplate | undefined> {
  const [row] = await db.query<TemplateRow>(
    `SELECT * FROM form_template WHERE name = $1 AND ($2::int IS NULL OR version = $2)
      ORDER BY version DESC LIMIT 1`,
    [name, version ?? null],
  );
  return row && toTemplate(row);
}

/** All versions of all templates by name, or those of one. */
export async function listTemplates(
  db: Queryable,
  { name, version }: { readonly name?: string | undefined; readonly version?: number | undefined },
  limit: number,
): Promise<FormTemplate[]> {
  const rows = await db.query<TemplateRow>(
    `SELECT * FROM form_template
      WHERE ($1::text IS NULL OR name = $1) AND ($2::int IS NULL OR version = $2)
      ORDER BY name, version LIMIT $3`,
    [name ?? null, version ?? null, limit],
  );
  return rows.map(toTemplate);
}

/** Writes a version, in place of the one that is there. */
export const putTemplate = (tx: Queryable, template: FormTemplate): Promise<unknown> =>
  tx.query(
    `INSERT INTO form_template
       (name, version, json_schema, template_ui, tags, created_at, created_by, updated_at, updated_by)
     VALUES ($1, $2, $3::json, $4::json, $5::json, $6, $7, $8, $9)
     ON CONFLICT (name, version) DO UPDATE SET json_schema = excluded.json_schema,
       template_ui = excluded.template_ui, tags = excluded.tags, updated_at = excluded.updated_at,
       updated_by = excluded.updated_by`,
    [
      template.name,
      template.version,
      JSON.stringify(template.jsonSchema),
      JSON.stringify(template.templateUI),
      JSON.stringify(template.tags),
      template.createdAt,
      template.createdBy,
      template.updatedAt,
      template.updatedBy,
    ],
  );

/** Takes versions away. @returns which there were. */
export async function deleteTemplates(tx: Queryable, name: string, version?: number): Promise<number[]> {
  const rows = await tx.query<{ version: number }>(
    'DELETE FROM form_template WHERE name = $1 AND ($2::int IS NULL OR version = $2) RETURNING version',
    [name, version ?? null],
  );
  return rows.map((row) => row.version).sort((a, b) => a - b);
}

// Written out, so that the partial indexes serve.
const WAITS = `state IN (${WAITING_STATES.map((state) => `'${state}'`).join(', ')})`;

/** A review that waits and was asked with this template, and the version of it. */
export async function templateUser(
  tx: Queryable,
  name: string,
  version?: number,
): Promise<{ readonly reviewId: string; readonly version: number } | undefined> {
  const [row] = await tx.query<{ id: string; version: number }>(
    `SELECT id, (policy #>> '{template,version}')::int AS version FROM review
      WHERE ${WAITS} AND policy #>> '{template,name}' = $1
        AND ($2::int IS NULL OR (policy #>> '{template,version}')::int = $2) LIMIT 1`,
    [name, version ?? null],
  );
  return row && { reviewId: row.id, version: row.version };
}
