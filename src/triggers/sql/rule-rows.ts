import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { JsonObject } from '../../engine/model/json.js';

export interface ShareRow {
  readonly workflow: string;
  readonly version?: number | undefined;
  readonly percent: number;
}

export interface RuleRow {
  readonly name: string;
  readonly description: string | null;
  readonly effect: 'allow' | 'deny';
  readonly position: number;
  readonly enabled: boolean;
  readonly bucket: string | null;
  readonly prefix: string | null;
  readonly suffix: string | null;
  readonly min_size_bytes: number | null;
  readonly max_size_bytes: number | null;
  readonly event_kinds: readonly string[];
  readonly content_types: readonly string[] | null;
  readonly tags: Readonly<Record<string, string>> | null;
  readonly trust_tags: boolean;
  readonly workflow_name: string;
  readonly workflow_version: number | null;
  readonly shares: readonly ShareRow[] | null;
  readonly priority: number;
  readonly input: JsonObject | null;
  readonly origin: 'shipped' | 'api' | 'file';
  readonly version: number;
  readonly updated_at: Instant;
  readonly updated_by: string;
}

const COLUMNS = `name, description, effect, position, coalesce(active, enabled) AS enabled, bucket, prefix, suffix,
  min_size_bytes::float8, max_size_bytes::float8, event_kinds, content_types, tags, trust_tags, workflow_name,
  workflow_version, shares, priority, input, origin, version, updated_at::float8, updated_by`;

/** All of them as one text, in the order in which they are asked: equal texts mean equal rules. */
export async function enabledRulesText(db: Queryable): Promise<string> {
  const [row] = await db.query<{ rules: string }>(
    `SELECT coalesce(json_agg(r ORDER BY position, name)::text, '[]') AS rules
       FROM (SELECT ${COLUMNS} FROM trigger_rule WHERE coalesce(active, enabled)) AS r`,
  );
  return row?.rules ?? '[]';
}

/** All of them, in the order in which they are asked. */
export const listRules = (db: Queryable): Promise<RuleRow[]> =>
  db.query<RuleRow>(`SELECT ${COLUMNS} FROM trigger_rule ORDER BY position, name`);

export async function findRule(
  db: Queryable,
  name: string,
  lock: '' | 'FOR UPDATE' = '',
): Promise<RuleRow | undefined> {
  const [row] = await db.query<RuleRow>(`SELECT ${COLUMNS} FROM trigger_rule WHERE name = $1 ${lock}`, [
    name,
  ]);
  return row;
}

/** Writes a rule whole: a new one, or over the one of its name. */
export const putRule = (tx: Queryable, row: RuleRow): Promise<unknown> =>
  tx.query(
    `INSERT INTO trigger_rule (name, description, effect, position, enabled, active, bucket, prefix, suffix,
            min_size_bytes, max_size_bytes, event_kinds, content_types, tags, trust_tags, workflow_name,
            workflow_version, shares, priority, input, origin, version, updated_at, updated_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
             $23, $24)
     ON CONFLICT (name) DO UPDATE SET (description, effect, position, enabled, active, bucket, prefix, suffix,
            min_size_bytes, max_size_bytes, event_kinds, content_types, tags, trust_tags, workflow_name,
            workflow_version, shares, priority, input, origin, version, updated_at, updated_by)
          = ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
             $23, $24)`,
    [
      row.name,
      row.description,
      row.effect,
      row.position,
      row.enabled && isToldByOldColumns(row),
      row.enabled,
      row.bucket,
      row.prefix,
      row.suffix,
      row.min_size_bytes,
      row.max_size_bytes,
      row.event_kinds,
      row.content_types,
      row.tags && JSON.stringify(row.tags),
      row.trust_tags,
      row.workflow_name,
      row.workflow_version,
      row.shares && JSON.stringify(row.shares),
      row.priority,
      row.input && JSON.stringify(row.input),
      row.origin,
      row.version,
      row.updated_at,
      row.updated_by,
    ],
  );

/** Whether a version that knows only the first release's columns scans no less because of it. */
const isToldByOldColumns = ({ effect, content_types, tags }: RuleRow): boolean =>
  effect === 'allow' || (content_types === null && tags === null);

// Changes of rules come one after another: what one checks (how many there are, who keeps a name) the next must see.
const RULES_LOCK = 7_205_001_003;

export const lockRules = (tx: Queryable): Promise<unknown> =>
  tx.query('SELECT pg_advisory_xact_lock($1)', [RULES_LOCK]);

export const deleteRule = (tx: Queryable, name: string): Promise<unknown> =>
  tx.query('DELETE FROM trigger_rule WHERE name = $1', [name]);
