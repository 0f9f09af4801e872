import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { Person } from '../rules/review.js';

/** A list of reviews under a name. */
export interface StoredView<Spec = unknown> {
  readonly id: string;
  readonly owner: Person;
  readonly name: string;
  /** `everybody` or `group:NAME`; the owner's alone when absent. */
  readonly sharedWith?: string | undefined;
  readonly spec: Spec;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

interface ViewRow<Spec> {
  readonly id: string;
  readonly owner_id: string;
  readonly owner_name: string;
  readonly name: string;
  readonly shared_with: string | null;
  readonly spec: Spec;
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}

const toView = <Spec>(row: ViewRow<Spec>): StoredView<Spec> => ({
  id: row.id,
  owner: { id: row.owner_id, name: row.owner_name },
  name: row.name,
  sharedWith: row.shared_with ?? undefined,
  spec: row.spec,
  version: row.version,
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
});

/** What somebody sees: their own first, then what is shared with one of these; each by name. */
export async function viewsFor<Spec>(
  db: Queryable,
  ownerId: string,
  shares: readonly string[],
  limit: number,
): Promise<StoredView<Spec>[]> {
  const rows = await db.query<ViewRow<Spec>>(
    `SELECT * FROM review_view WHERE owner_id = $1 OR shared_with = ANY ($2)
      ORDER BY owner_id <> $1, lower(name), id LIMIT $3`,
    [ownerId, shares, limit],
  );
  return rows.map(toView);
}

export async function findView<Spec>(db: Queryable, id: string): Promise<StoredView<Spec> | undefined> {
  const [row] = await db.query<ViewRow<Spec>>('SELECT * FROM review_view WHERE id = $1', [id]);
  return row && toView(row);
}

/** Until the transaction ends, nobody else changes this person's: neither their number nor their names. */
export const lockViews = (tx: Queryable, ownerId: string): Promise<unknown> =>
  tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`review_view:${ownerId}`]);

export async function countViews(tx: Queryable, ownerId: string): Promise<number> {
  const [row] = await tx.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM review_view WHERE owner_id = $1',
    [ownerId],
  );
  return row?.n ?? 0;
}

/** @returns undefined when the owner has another of this name. */
export async function insertView<Spec>(
  tx: Queryable,
  view: StoredView<Spec>,
): Promise<StoredView<Spec> | undefined> {
  const [row] = await tx.query<ViewRow<Spec>>(
    `INSERT INTO review_view (id, owner_id, owner_name, name, shared_with, spec, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6::json, $7, $7) ON CONFLICT DO NOTHING RETURNING *`,
    [
      view.id,
      view.owner.id,
      view.owner.name,
      view.name,
      view.sharedWith ?? null,
      JSON.stringify(view.spec),
      view.createdAt,
    ],
  );
  return row && toView(row);
}

/** Writes only if it is still as it was looked at. @returns undefined when it is not, or the name is taken. */
export async function updateView<Spec>(
  tx: Queryable,
  view: StoredView<Spec>,
  at: Instant,
): Promise<StoredView<Spec> | undefined> {
  const [row] = await tx.query<ViewRow<Spec>>(
    `UPDATE review_view v SET name = $3, shared_with = $4, spec = $5::json, version = version + 1, updated_at = $6
      WHERE id = $1 AND version = $2 AND NOT EXISTS (
        SELECT 1 FROM review_view o WHERE o.owner_id = v.owner_id AND lower(o.name) = lower($3) AND o.id <> $1)
     RETURNING *`,
    [view.id, view.version, view.name, view.sharedWith ?? null, JSON.stringify(view.spec), at],
  );
  return row && toView(row);
}

export async function deleteView(tx: Queryable, id: string): Promise<boolean> {
  return (await tx.query('DELETE FROM review_view WHERE id = $1 RETURNING id', [id])).length === 1;
}
