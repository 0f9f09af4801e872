import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { Absence } from '../rules/absences.js';

// More people than a team has who are away at once.
const MAX_ABSENT = 10_000;

interface AbsenceRow {
  readonly id: string;
  readonly person_id: string;
  readonly person_name: string;
  readonly from_at: string;
  readonly to_at: string;
  readonly substitute_id: string | null;
  readonly substitute_name: string | null;
  readonly note: string;
}

export interface StoredAbsence extends Absence {
  readonly id: string;
  readonly note: string;
}

const toAbsence = (row: AbsenceRow): StoredAbsence => ({
  id: row.id,
  person: { id: row.person_id, name: row.person_name },
  from: Number(row.from_at),
  to: Number(row.to_at),
  substitute:
    row.substitute_id === null
      ? undefined
      : { id: row.substitute_id, name: row.substitute_name ?? row.substitute_id },
  note: row.note,
});

/** Who is away at some moment of these; each says from when to when. */
export async function absencesBetween(
  db: Queryable,
  earliest: Instant,
  latest: Instant,
): Promise<StoredAbsence[]> {
  const rows = await db.query<AbsenceRow>(
    'SELECT * FROM review_absence WHERE from_at <= $2 AND to_at > $1 ORDER BY from_at, id LIMIT $3',
    [earliest, latest, MAX_ABSENT],
  );
  return rows.map(toAbsence);
}

/** Those that are not over yet, the next first. */
export async function comingAbsences(db: Queryable, now: Instant, limit: number): Promise<StoredAbsence[]> {
  const rows = await db.query<AbsenceRow>(
    'SELECT * FROM review_absence WHERE to_at > $1 ORDER BY from_at, id LIMIT $2',
    [now, limit],
  );
  return rows.map(toAbsence);
}

export const insertAbsence = (tx: Queryable, absence: StoredAbsence, now: Instant): Promise<unknown> =>
  tx.query(
    `INSERT INTO review_absence (id, person_id, person_name, from_at, to_at, substitute_id, substitute_name, note, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      absence.id,
      absence.person.id,
      absence.person.name,
      absence.from,
      absence.to,
      absence.substitute?.id ?? null,
      absence.substitute?.name ?? null,
      absence.note,
      now,
    ],
  );

/** Takes one away. @returns it, or undefined when there is none. */
export async function deleteAbsence(tx: Queryable, id: string): Promise<StoredAbsence | undefined> {
  const [row] = await tx.query<AbsenceRow>('DELETE FROM review_absence WHERE id = $1 RETURNING *', [id]);
  return row && toAbsence(row);
}

export async function findAbsence(db: Queryable, id: string): Promise<StoredAbsence | undefined> {
  const [row] = await db.query<AbsenceRow>('SELECT * FROM review_absence WHERE id = $1', [id]);
  return row && toAbsence(row);
}
