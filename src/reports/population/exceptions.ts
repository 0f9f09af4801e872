import { column, NO_UUID, PAGE, paged, time, type Population } from './population.js';

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly scope: string;
  readonly finding_kind: string;
  readonly rule_id: string;
  readonly fingerprint: string | null;
  readonly endpoint_id: string | null;
  readonly bucket: string | null;
  readonly key: string | null;
  readonly key_prefix: string | null;
  readonly member_path: string | null;
  readonly sha256: string | null;
  readonly reason: string;
  readonly state: string;
  readonly requested_at: number;
  readonly requested_by: string;
  readonly requested_by_name: string;
  readonly review_id: string | null;
  readonly decided_at: number | null;
  readonly decided_by: string | null;
  readonly decided_by_name: string | null;
  readonly decision_reason: string | null;
  readonly expires_at: number;
  readonly ended_at: number | null;
  readonly ended_by: string | null;
  readonly end_reason: string | null;
  readonly extends: string | null;
  readonly uses: number;
}

const STATEMENT = `
  SELECT x.id, x.kind, x.scope, x.finding_kind, x.rule_id, x.fingerprint, x.endpoint_id, x.bucket, x.key, x.key_prefix,
         x.member_path, x.sha256, x.reason, x.state, x.requested_at::float8, x.requested_by, x.requested_by_name, x.review_id,
         x.decided_at::float8, x.decided_by, x.decided_by_name, x.decision_reason, x.expires_at::float8, x.ended_at::float8,
         x.ended_by, x.end_reason, x.extends,
         (SELECT count(*)::int FROM finding f JOIN scan s ON s.id = f.scan_id
           WHERE f.exception_id = x.id AND s.verdict_at >= $1 AND s.verdict_at < $2) AS uses
    FROM finding_exception x
   WHERE x.requested_at < $2 AND coalesce(x.ended_at, $1) >= $1 AND (x.requested_at, x.id) > ($3, $4)
   ORDER BY x.requested_at, x.id LIMIT $5`;

/** Every exception that was asked for or in force at some moment of the time. */
export const exceptions: Population<Row> = {
  columns: [
    column('exception_id', (row) => row.id),
    column('kind', (row) => row.kind),
    column('scope', (row) => row.scope),
    column('finding_kind', (row) => row.finding_kind),
    column('rule', (row) => row.rule_id),
    column('fingerprint', (row) => row.fingerprint),
    column('endpoint', (row) => row.endpoint_id),
    column('bucket', (row) => row.bucket),
    column('key', (row) => row.key),
    column('prefix', (row) => row.key_prefix),
    column('member', (row) => row.member_path),
    column('sha256', (row) => row.sha256),
    column('justification', (row) => row.reason),
    column('state_now', (row) => row.state),
    column('requested_at', (row) => time(row.requested_at)),
    column('requested_by', (row) => row.requested_by_name),
    column('requested_by_id', (row) => row.requested_by),
    column('review_id', (row) => row.review_id),
    column('decided_at', (row) => time(row.decided_at)),
    column('decided_by', (row) => row.decided_by_name ?? row.decided_by),
    column('decided_by_id', (row) => row.decided_by),
    column('decision_reason', (row) => row.decision_reason),
    column('expires_at', (row) => time(row.expires_at)),
    column('ended_at', (row) => time(row.ended_at)),
    column('ended_by', (row) => row.ended_by),
    column('end_reason', (row) => row.end_reason),
    column('extends', (row) => row.extends),
    column('uses', (row) => row.uses),
  ],
  rows: (db, { from, to }) =>
    paged<Row>((after) =>
      db.query(STATEMENT, [from, to, after?.requested_at ?? -1, after?.id ?? NO_UUID, PAGE]),
    ),
};
