import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { Exception, ExceptionKind, ExceptionScope, ExceptionState } from '../exception.js';

interface Row {
  readonly id: string;
  readonly kind: ExceptionKind;
  readonly scope: ExceptionScope;
  readonly finding_kind: 'secret' | 'malware';
  readonly rule_id: string;
  readonly fingerprint: string | null;
  readonly endpoint_id: string | null;
  readonly bucket: string | null;
  readonly key: string | null;
  readonly member_path: string | null;
  readonly sha256: string | null;
  readonly key_prefix: string | null;
  readonly reason: string;
  readonly state: ExceptionState;
  readonly expires_at: number;
  readonly requested_by: string;
  readonly requested_by_name: string;
  readonly requested_at: number;
  readonly review_id: string | null;
  readonly decided_by: string | null;
  readonly decided_by_name: string | null;
  readonly decided_at: number | null;
  readonly decision_reason: string | null;
  readonly ended_at: number | null;
  readonly ended_by: string | null;
  readonly end_reason: string | null;
  readonly warned_days: number | null;
  readonly extends: string | null;
}

const COLUMNS = `id, kind, scope, finding_kind, rule_id, fingerprint, endpoint_id, bucket, key, member_path, sha256,
  key_prefix, reason, state, expires_at::float8, requested_by, requested_by_name, requested_at::float8, review_id,
  decided_by, decided_by_name, decided_at::float8, decision_reason, ended_at::float8, ended_by, end_reason, warned_days,
  extends`;

/** @throws the database's own error (23505) when an extension of the same one is asked for already. */
export async function insertException(tx: Queryable, exception: Exception, nextAt: Instant): Promise<void> {
  const { target } = exception;
  await tx.query(
    `INSERT INTO finding_exception (id, kind, scope, finding_kind, rule_id, fingerprint, endpoint_id, bucket, key,
       member_path, sha256, key_prefix, reason, state, expires_at, requested_by, requested_by_name, requested_at,
       next_at, extends)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
    [
      exception.id,
      exception.kind,
      target.scope,
      target.findingKind,
      target.ruleId,
      target.fingerprint ?? null,
      target.endpointId ?? null,
      target.bucket ?? null,
      target.key ?? null,
      target.memberPath ?? null,
      target.sha256 ?? null,
      target.keyPrefix ?? null,
      exception.reason,
      exception.state,
      exception.expiresAt,
      exception.requestedBy.id,
      exception.requestedBy.name,
      exception.requestedAt,
      nextAt,
      exception.extends ?? null,
    ],
  );
}

export async function findException(db: Queryable, id: string): Promise<Exception | undefined> {
  const [row] = await db.query<Row>(`SELECT ${COLUMNS} FROM finding_exception WHERE id = $1`, [id]);
  return row && toException(row);
}

export interface ExceptionFilter {
  readonly states?: readonly ExceptionState[] | undefined;
  readonly ruleId?: string | undefined;
  readonly fingerprint?: string | undefined;
}

/** Newest first; those after `after`. */
export async function listExceptions(
  db: Queryable,
  { states, ruleId, fingerprint }: ExceptionFilter,
  page: {
    readonly after?: { readonly at: Instant; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<Exception[]> {
  const rows = await db.query<Row>(
    `SELECT ${COLUMNS} FROM finding_exception
      WHERE ($1::text[] IS NULL OR state = ANY ($1)) AND ($2::text IS NULL OR rule_id = $2)
        AND ($3::text IS NULL OR fingerprint = $3)
        AND ($4::bigint IS NULL OR (requested_at, id) < ($4, $5::uuid))
      ORDER BY finding_exception.requested_at DESC, finding_exception.id DESC LIMIT $6`,
    [
      states ?? null,
      ruleId ?? null,
      fingerprint ?? null,
      page.after?.at ?? null,
      page.after?.id ?? null,
      page.limit,
    ],
  );
  return rows.map(toException);
}

export async function countWaiting(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM finding_exception WHERE state IN ('REQUESTED', 'IN_FORCE')`,
  );
  return row?.count ?? 0;
}

/** The second person agreed. @returns undefined when it was not asked for any more, or its time is over. */
export async function putInForce(
  tx: Queryable,
  args: {
    readonly id: string;
    readonly reviewId: string;
    readonly by: { readonly id: string; readonly name: string };
    readonly reason: string;
    readonly nextAt: Instant;
    readonly now: Instant;
  },
): Promise<Exception | undefined> {
  const [row] = await tx.query<Row>(
    `UPDATE finding_exception
        SET state = 'IN_FORCE', review_id = $2, decided_by = $3, decided_by_name = $4, decided_at = $6,
            decision_reason = $5, next_at = $7
      WHERE id = $1 AND state = 'REQUESTED' AND expires_at > $6 AND requested_by <> $3
      RETURNING ${COLUMNS}`,
    [args.id, args.reviewId, args.by.id, args.by.name, args.reason, args.now, args.nextAt],
  );
  return row && toException(row);
}

/** How one ends. */
export interface Ending {
  readonly id: string;
  readonly from: readonly ExceptionState[];
  readonly to: 'REFUSED' | 'WITHDRAWN' | 'EXPIRED' | 'EXTENDED';
  readonly by: string;
  readonly reason: string;
  readonly now: Instant;
}

/** @returns undefined when it is in none of those states any more. */
export async function endException(tx: Queryable, ending: Ending): Promise<Exception | undefined> {
  const [row] = await tx.query<Row>(
    `UPDATE finding_exception
        SET state = $3, ended_at = $4, ended_by = $5, end_reason = $6, next_at = NULL
      WHERE id = $1 AND state = ANY ($2) RETURNING ${COLUMNS}`,
    [ending.id, ending.from, ending.to, ending.now, ending.by, ending.reason],
  );
  return row && toException(row);
}

/** Those that the clock has something to do with, the longest due first. The caller's transaction keeps them from others. */
export async function lockDue(tx: Queryable, now: Instant, limit: number): Promise<Exception[]> {
  const rows = await tx.query<Row>(
    `SELECT ${COLUMNS} FROM finding_exception WHERE next_at <= $1 ORDER BY finding_exception.next_at, id LIMIT $2
      FOR UPDATE SKIP LOCKED`,
    [now, limit],
  );
  return rows.map(toException);
}

/** What the clock did, and when it comes back. */
export async function markWarned(
  tx: Queryable,
  {
    id,
    warnedDays,
    nextAt,
  }: { readonly id: string; readonly warnedDays: number | undefined; readonly nextAt: Instant },
): Promise<void> {
  await tx.query('UPDATE finding_exception SET warned_days = $2, next_at = $3 WHERE id = $1', [
    id,
    warnedDays ?? null,
    nextAt,
  ]);
}

/** It and those that it goes on with: what they answered for, it does. */
export async function chainOf(db: Queryable, id: string): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `WITH RECURSIVE chain AS (
       SELECT id, extends, 1 AS depth FROM finding_exception WHERE id = $1
       UNION ALL
       SELECT e.id, e.extends, depth + 1 FROM finding_exception e JOIN chain ON e.id = chain.extends WHERE depth < 1000)
     SELECT id FROM chain`,
    [id],
  );
  return rows.map((row) => row.id);
}

const toException = (row: Row): Exception => ({
  id: row.id,
  kind: row.kind,
  target: {
    scope: row.scope,
    findingKind: row.finding_kind,
    ruleId: row.rule_id,
    fingerprint: row.fingerprint ?? undefined,
    endpointId: row.endpoint_id ?? undefined,
    bucket: row.bucket ?? undefined,
    key: row.key ?? undefined,
    memberPath: row.member_path ?? undefined,
    sha256: row.sha256 ?? undefined,
    keyPrefix: row.key_prefix ?? undefined,
  },
  reason: row.reason,
  state: row.state,
  expiresAt: row.expires_at,
  requestedBy: { id: row.requested_by, name: row.requested_by_name },
  requestedAt: row.requested_at,
  reviewId: row.review_id ?? undefined,
  decided:
    row.decided_by === null || row.decided_at === null
      ? undefined
      : {
          by: { id: row.decided_by, name: row.decided_by_name ?? row.decided_by },
          at: row.decided_at,
          reason: row.decision_reason ?? '',
        },
  ended:
    row.ended_at === null
      ? undefined
      : { by: row.ended_by ?? '', at: row.ended_at, reason: row.end_reason ?? '' },
  warnedDays: row.warned_days ?? undefined,
  extends: row.extends ?? undefined,
});
