import type { Queryable } from '../../database/queryable.js';
import type { Opening } from '../personal/commitment.js';
import { ERASED, toldIn } from '../personal/told.js';

/** What stands beside an event. */
export interface StoredFact extends Opening {
  readonly person: string;
}

/** What still stands of these commitments, by each; hexadecimal. */
export async function factsOf(
  db: Queryable,
  commitments: readonly string[],
): Promise<ReadonlyMap<string, StoredFact>> {
  if (commitments.length === 0) return new Map();
  const rows = await db.query<{ commitment: string; person: string; salt: string; value: string }>(
    `SELECT encode(commitment, 'hex') AS commitment, person, encode(salt, 'hex') AS salt, value FROM audit_personal
      WHERE commitment = ANY (SELECT decode(one, 'hex') FROM unnest($1::text[]) AS one)`,
    [commitments],
  );
  return new Map(rows.map(({ commitment, ...fact }) => [commitment, fact]));
}

/** Erases some of what is said of a person. @returns the commitments to it. */
export async function erasePersonal(tx: Queryable, person: string, limit: number): Promise<string[]> {
  const gone = await tx.query<{ commitment: string }>(
    `DELETE FROM audit_personal WHERE commitment IN
       (SELECT commitment FROM audit_personal WHERE person = $1 LIMIT $2)
     RETURNING encode(commitment, 'hex') AS commitment`,
    [person, limit],
  );
  return gone.map(({ commitment }) => commitment);
}

/** What erasures tell of that are not up to this place of the chain. */
export async function erasuresBeyond(db: Queryable, seq: number): Promise<string[]> {
  const rows = await db.query<{ action: string; data: string }>(
    `SELECT e.action, e.data::text AS data FROM audit_event e
      WHERE e.action = $2 AND e.id > (SELECT swept_id FROM audit_chain)
        AND NOT EXISTS (SELECT 1 FROM audit_link l WHERE l.event_id = e.id AND l.seq <= $1)`,
    [seq, ERASED],
  );
  return rows.flatMap(toldIn);
}
