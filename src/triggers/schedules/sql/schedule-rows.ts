import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { JsonObject } from '../../../engine/model/json.js';
import type { CatchUp } from '../catch-up.js';

export interface ScheduleRow {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly kind: string;
  readonly payload: JsonObject;
  readonly cron: string;
  readonly time_zone: string;
  readonly catch_up: CatchUp;
  readonly catch_up_within_seconds: number;
  readonly enabled: boolean;
  readonly next_fire_at: Instant | null;
  readonly last_fire_at: Instant | null;
  readonly last_outcome: 'done' | 'retrying' | 'failed' | 'missed' | null;
  readonly last_error: string | null;
  readonly version: number;
  readonly created_at: Instant;
  readonly created_by: string;
  readonly updated_at: Instant;
  readonly updated_by: string;
}

const COLUMNS = `id, name, description, kind, payload, cron, time_zone, catch_up, catch_up_within_seconds, enabled,
  next_fire_at::float8, last_fire_at::float8, last_outcome, last_error, version, created_at::float8, created_by,
  updated_at::float8, updated_by`;

/** By name; those after `after`. */
export const listSchedules = (
  db: Queryable,
  args: { readonly after: string | undefined; readonly limit: number },
): Promise<ScheduleRow[]> =>
  db.query<ScheduleRow>(
    `SELECT ${COLUMNS} FROM schedule WHERE $1::text IS NULL OR name > $1 ORDER BY name LIMIT $2`,
    [args.after ?? null, args.limit],
  );

export async function findSchedule(
  db: Queryable,
  name: string,
  lock: '' | 'FOR UPDATE' = '',
): Promise<ScheduleRow | undefined> {
  const [row] = await db.query<ScheduleRow>(`SELECT ${COLUMNS} FROM schedule WHERE name = $1 ${lock}`, [
    name,
  ]);
  return row;
}

export type NewSchedule = Omit<
  ScheduleRow,
  'last_fire_at' | 'last_outcome' | 'last_error' | 'version' | 'updated_at' | 'updated_by'
>;

/** @returns false when there is one of this name. */
export async function insertSchedule(db: Queryable, row: NewSchedule): Promise<boolean> {
  const rows = await db.query(
    `INSERT INTO schedule (id, name, description, kind, payload, cron, time_zone, catch_up, catch_up_within_seconds,
                           enabled, next_fire_at, version, created_at, created_by, updated_at, updated_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13, $12, $13)
     ON CONFLICT (name) DO NOTHING RETURNING id`,
    [
      row.id,
      row.name,
      row.description,
      row.kind,
      JSON.stringify(row.payload),
      row.cron,
      row.time_zone,
      row.catch_up,
      row.catch_up_within_seconds,
      row.enabled,
      row.next_fire_at,
      row.created_at,
      row.created_by,
    ],
  );
  return rows.length > 0;
}

export type ChangedSchedule = Pick<
  ScheduleRow,
  | 'id'
  | 'description'
  | 'kind'
  | 'payload'
  | 'cron'
  | 'time_zone'
  | 'catch_up'
  | 'catch_up_within_seconds'
  | 'enabled'
  | 'next_fire_at'
  | 'updated_at'
  | 'updated_by'
>;

/** Writes the whole of it and raises its version; the caller holds its lock. Firings that wait go by the new payload. */
export async function updateSchedule(tx: Queryable, row: ChangedSchedule): Promise<void> {
  await tx.query(
    `UPDATE schedule SET description = $2, kind = $3, payload = $4, cron = $5, time_zone = $6, catch_up = $7,
            catch_up_within_seconds = $8, enabled = $9, next_fire_at = $10, updated_at = $11, updated_by = $12,
            version = version + 1
      WHERE id = $1`,
    [
      row.id,
      row.description,
      row.kind,
      JSON.stringify(row.payload),
      row.cron,
      row.time_zone,
      row.catch_up,
      row.catch_up_within_seconds,
      row.enabled,
      row.next_fire_at,
      row.updated_at,
      row.updated_by,
    ],
  );
  await tx.query(
    `UPDATE schedule_firing SET kind = $2 WHERE schedule_id = $1 AND state = 'waiting' AND kind <> $2`,
    [row.id, row.kind],
  );
}
