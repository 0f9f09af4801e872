import type { Instant } from '../../../../../clock.js';
import type { Queryable } from '../../../../../database/queryable.js';

export const PROPOSAL_STATES = [
  'sending',
  'proposed',
  'no_address',
  'not_found',
  'refused',
  'failed',
] as const;

/** What came of the last attempt to propose an account to a person. */
export interface StoredProposal {
  readonly personId: string;
  readonly teamId: string;
  readonly state: (typeof PROPOSAL_STATES)[number];
  readonly userId?: string | undefined;
  readonly userName?: string | undefined;
  readonly detail?: string | undefined;
  readonly proposedBy: string;
  readonly proposedAt: Instant;
  readonly expiresAt?: Instant | undefined;
}

const VALUES = `(person_id, team_id, state, user_id, user_name, detail, proposed_by, proposed_at, expires_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;
const UPDATE = `team_id = excluded.team_id, state = excluded.state, user_id = excluded.user_id,
   user_name = excluded.user_name, detail = excluded.detail, proposed_by = excluded.proposed_by,
   proposed_at = excluded.proposed_at, expires_at = excluded.expires_at`;

const valuesOf = (one: StoredProposal): unknown[] => [
  one.personId,
  one.teamId,
  one.state,
  one.userId ?? null,
  one.userName ?? null,
  one.detail ?? null,
  one.proposedBy,
  one.proposedAt,
  one.expiresAt ?? null,
];

export const writeProposal = (db: Queryable, one: StoredProposal): Promise<unknown> =>
  db.query(
    `INSERT INTO slack_proposal ${VALUES} ON CONFLICT (person_id) DO UPDATE SET ${UPDATE}`,
    valuesOf(one),
  );

/**
 * The same, unless somebody else wrote one since what was seen. @returns whether it is written: of several who propose at
 * the same moment, to one.
 */
export async function takeProposal(
  db: Queryable,
  one: StoredProposal,
  seen: Pick<StoredProposal, 'teamId' | 'state' | 'proposedAt'> | undefined,
): Promise<boolean> {
  const rows = await db.query(
    `INSERT INTO slack_proposal AS p ${VALUES} ON CONFLICT (person_id) DO UPDATE SET ${UPDATE}
     WHERE p.team_id = $10 AND p.state = $11 AND p.proposed_at = $12
        -- Of another workspace, from before the app moved.
        OR $10::text IS NULL AND p.team_id <> excluded.team_id
     RETURNING 1`,
    [...valuesOf(one), seen?.teamId ?? null, seen?.state ?? null, seen?.proposedAt ?? null],
  );
  return rows.length > 0;
}

/** The account speaks for that person no more: what was proposed before is over, and it may be proposed anew. */
export const forgetProposal = (tx: Queryable, teamId: string, personId: string): Promise<unknown> =>
  tx.query('DELETE FROM slack_proposal WHERE person_id = $1 AND team_id = $2', [personId, teamId]);

interface ProposalRow {
  readonly person_id: string;
  readonly team_id: string;
  readonly state: StoredProposal['state'];
  readonly user_id: string | null;
  readonly user_name: string | null;
  readonly detail: string | null;
  readonly proposed_by: string;
  readonly proposed_at: string;
  readonly expires_at: string | null;
}

/** Of these people, in a workspace. */
export async function proposalsOf(
  db: Queryable,
  teamId: string,
  personIds: readonly string[],
): Promise<ReadonlyMap<string, StoredProposal>> {
  const rows = await db.query<ProposalRow>(
    'SELECT * FROM slack_proposal WHERE team_id = $1 AND person_id = ANY($2::text[])',
    [teamId, personIds],
  );
  return new Map(
    rows.map((row) => [
      row.person_id,
      {
        personId: row.person_id,
        teamId: row.team_id,
        state: row.state,
        userId: row.user_id ?? undefined,
        userName: row.user_name ?? undefined,
        detail: row.detail ?? undefined,
        proposedBy: row.proposed_by,
        proposedAt: Number(row.proposed_at),
        expiresAt: row.expires_at === null ? undefined : Number(row.expires_at),
      },
    ]),
  );
}

/** The accounts of a workspace that these people linked, one for each. */
export async function linkedAccounts(
  db: Queryable,
  teamId: string,
  personIds: readonly string[],
): Promise<ReadonlyMap<string, { readonly userId: string; readonly userName: string | undefined }>> {
  const rows = await db.query<{ person_id: string; user_id: string; name: string | null }>(
    `SELECT i.person_id, i.user_id, a.name
     FROM slack_identity i LEFT JOIN slack_account a USING (team_id, user_id)
     WHERE i.team_id = $1 AND i.person_id = ANY($2::text[]) ORDER BY i.linked_at`,
    [teamId, personIds],
  );
  return new Map(
    rows.map((row) => [row.person_id, { userId: row.user_id, userName: row.name ?? undefined }]),
  );
}
