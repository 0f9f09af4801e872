import type { Exceptions, ReportedException } from '../data/record.js';
import { LISTED_ROWS } from '../data/parts.js';
import { iso, isoOrNull, type Asked } from './section.js';

const EXPIRING_MS = 14 * 86_400_000;

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly scope: string;
  readonly finding_kind: string;
  readonly rule_id: string;
  readonly place: string | null;
  readonly owner: string;
  readonly approver: string | null;
  readonly reason: string;
  readonly state: string;
  readonly requested_at: string;
  readonly decided_at: string | null;
  readonly expires_at: string;
  readonly ended_at: string | null;
  readonly uses: number;
  readonly marks: string[];
  readonly total: number;
}

interface Counts {
  readonly inForce: number;
  readonly new: number;
  readonly expiring: number;
  readonly expired: number;
  readonly extended: number;
}

// Agreed to before a moment, and not over by then.
const IN_FORCE = (at: string): string =>
  `decided_at < ${at} AND state <> 'REFUSED' AND (ended_at IS NULL OR ended_at >= ${at})`;
const ENDED_IN = (state: string): string => `state = '${state}' AND ended_at >= $1 AND ended_at < $2`;
const IS_EXPIRING = `${IN_FORCE('$2')} AND expires_at < $2 + ${EXPIRING_MS}`;

/** What people let stand: in force at the end of the period, or begun, ended or refused in it. */
export async function readExceptions({ tx, from, to }: Asked): Promise<Exceptions> {
  const [counts] = await tx.query<Counts>(
    `SELECT count(*) FILTER (WHERE ${IN_FORCE('$2')})::int AS "inForce",
            count(*) FILTER (WHERE decided_at >= $1 AND decided_at < $2 AND state <> 'REFUSED')::int AS new,
            count(*) FILTER (WHERE ${IS_EXPIRING})::int AS expiring,
            count(*) FILTER (WHERE ${ENDED_IN('EXPIRED')})::int AS expired,
            count(*) FILTER (WHERE ${ENDED_IN('EXTENDED')})::int AS extended
       FROM finding_exception`,
    [from, to],
  );
  const rows = await tx.query<Row>(
    `SELECT id, kind, scope, finding_kind, rule_id,
            CASE scope WHEN 'secret' THEN NULL WHEN 'rule' THEN bucket || '/' || coalesce(key_prefix, '')
                       ELSE bucket || '/' || key END AS place,
            requested_by_name AS owner, decided_by_name AS approver, reason,
            CASE WHEN ended_at >= $2 THEN 'IN_FORCE' ELSE state END AS state,
            requested_at, decided_at, expires_at, CASE WHEN ended_at < $2 THEN ended_at END AS ended_at,
            (SELECT count(*)::int FROM finding f JOIN scan s ON s.id = f.scan_id
              WHERE f.exception_id = e.id AND s.verdict_at >= $1 AND s.verdict_at < $2) AS uses,
            array_remove(ARRAY[
              CASE WHEN decided_at >= $1 AND decided_at < $2 AND state <> 'REFUSED' THEN 'new' END,
              CASE WHEN ${IS_EXPIRING} THEN 'expiring' END,
              CASE WHEN ${ENDED_IN('EXPIRED')} THEN 'expired' END,
              CASE WHEN ${ENDED_IN('EXTENDED')} THEN 'extended' END,
              CASE WHEN ${ENDED_IN('WITHDRAWN')} THEN 'withdrawn' END,
              CASE WHEN ${ENDED_IN('REFUSED')} THEN 'refused' END], NULL) AS marks,
            count(*) OVER ()::int AS total
       FROM finding_exception e
      WHERE requested_at < $2 AND (${IN_FORCE('$2')} OR (decided_at >= $1 AND decided_at < $2) OR (ended_at >= $1 AND ended_at < $2))
      ORDER BY requested_at, id LIMIT $3`,
    [from, to, LISTED_ROWS],
  );
  return {
    ...(counts ?? { inForce: 0, new: 0, expiring: 0, expired: 0, extended: 0 }),
    register: { total: rows[0]?.total ?? 0, file: 'data/exceptions.csv', rows: rows.map(shown) },
  };
}

const shown = (row: Row): ReportedException => ({
  id: row.id,
  kind: row.kind,
  scope: row.scope,
  findingKind: row.finding_kind,
  ruleId: row.rule_id,
  where: row.place,
  owner: row.owner,
  approver: row.approver,
  justification: row.reason,
  state: row.state,
  createdAt: iso(row.requested_at),
  decidedAt: isoOrNull(row.decided_at),
  expiresAt: iso(row.expires_at),
  endedAt: isoOrNull(row.ended_at),
  uses: row.uses,
  marks: row.marks,
});
