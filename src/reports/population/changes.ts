import { commitmentsIn, opened } from '../../audit/personal/commitment.js';
import { factsOf } from '../../audit/sql/personal.js';
import type { Queryable } from '../../database/queryable.js';
import { changeKindOf, CHANGING_FAMILIES } from '../sections/change-kinds.js';
import { column, PAGE, paged, time, type Population } from './population.js';

interface Row {
  readonly id: string;
  readonly seq: string | null;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly data: string;
}

const STATEMENT = `
  SELECT e.id, l.seq, e.at::float8 AS at, e.actor, e.action, e.subject, e.data::text AS data
    FROM audit_event e LEFT JOIN audit_link l ON l.event_id = e.id
   WHERE e.at >= $1 AND e.at < $2 AND (e.at, e.id) > ($3, $4) AND split_part(e.action, '.', 1) = ANY ($5)
   ORDER BY e.at, e.id LIMIT $6`;

/** With what stands beside the events about people, or that it was erased. */
async function shown(db: Queryable, rows: readonly Row[]): Promise<Row[]> {
  const commitments = rows.flatMap(({ data }) => [...commitmentsIn(data).values()]);
  const facts = await factsOf(db, commitments);
  return rows.map((row) =>
    commitmentsIn(row.data).size === 0 ? row : { ...row, data: JSON.stringify(opened(row.data, facts).data) },
  );
}

/** Every event of the time that changed what lasts: see changeKindOf. */
export const changes: Population<Row> = {
  columns: [
    column('event_id', (row) => row.id),
    column('place_in_chain', (row) => (row.seq === null ? null : Number(row.seq))),
    column('at', (row) => time(row.at)),
    column('actor', (row) => row.actor),
    column('action', (row) => row.action),
    column('subject', (row) => row.subject),
    column('kind', (row) => changeKindOf(row.action) ?? null),
    column('what', (row) => row.data),
  ],
  rows: async function* (db, { from, to }) {
    const all = paged<Row>(async (after) =>
      shown(
        db,
        await db.query(STATEMENT, [from, to, after?.at ?? -1, after?.id ?? 0, CHANGING_FAMILIES, PAGE]),
      ),
    );
    for await (const row of all) if (changeKindOf(row.action) !== undefined) yield row;
  },
};
