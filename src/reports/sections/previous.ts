import { PLAIN_POLICY, type Policy } from '../../reviews/rules/policy.js';
import type { Queryable } from '../../database/queryable.js';
import type { Previous } from '../data/record.js';
import type { ReportKind } from '../data/report-data.js';
import { isoOrNull, type Asked } from './section.js';

interface Row {
  readonly id: string;
  readonly label: string;
  readonly sha256: string | null;
  readonly state: string | null;
  readonly outcome: string | null;
  readonly readBy: string | null;
  readonly readAt: string | null;
  readonly comment: string | null;
  readonly dueAt: string | null;
  readonly policy: Policy | null;
  readonly votes: number;
}

/** The task of the report's workflow that asks somebody to read it. */
export const READ_TASK = 'read';

/** The clock's last report of the same kind that ended where this period begins, or before. */
export async function readPrevious({ tx, from, to }: Asked, kind: ReportKind): Promise<Previous | null> {
  const [row] = await tx.query<Row>(
    `SELECT p.id, p.label, p.sha256, r.state, r.outcome, r.decided_by_name AS "readBy", r.decided_at AS "readAt",
            r.decision_reason AS comment, r.due_at AS "dueAt", r.policy,
            (SELECT count(*)::int FROM review_vote v
              WHERE v.review_id = r.id AND v.round = r.round AND v.withdrawn_at IS NULL
                AND (r.outcome IS NULL OR v.outcome = r.outcome)) AS votes
       FROM report p LEFT JOIN LATERAL (
         SELECT * FROM review WHERE workflow_id = p.workflow_id AND task_ref = $3 ORDER BY created_at DESC LIMIT 1
       ) r ON true
      WHERE p.scheduled AND p.kind = $1 AND p.period_to <= $2
      ORDER BY p.period_to DESC LIMIT 1`,
    [kind === 'range' ? 'weekly' : kind, from, READ_TASK],
  );
  return row === undefined ? null : previousOf(row, to);
}

function previousOf(row: Row, at: number): Previous {
  const { approve } = (row.policy ?? PLAIN_POLICY).quorum;
  return {
    reportId: row.id,
    label: row.label,
    sha256: row.sha256,
    reading: readingOf(row, at),
    readBy: row.readBy,
    readAt: isoOrNull(row.readAt),
    outcome: row.outcome,
    comment: row.comment,
    signatures: row.state === null ? null : { required: approve, reached: row.votes },
  };
}

function readingOf({ state, dueAt, outcome, policy }: Row, at: number): Previous['reading'] {
  switch (state) {
    case null:
      return 'none';
    case 'COMPLETED':
      // Who asks something first has not signed.
      return (policy ?? PLAIN_POLICY).rejecting.includes(outcome ?? '') ? 'open' : 'signed';
    case 'EXPIRED':
    case 'SKIPPED':
    case 'CANCELLED':
      return 'expired';
    default:
      return dueAt !== null && Number(dueAt) <= at ? 'overdue' : 'open';
  }
}

/** Who has to read a report, and how it stands; for its summary. */
export async function readingOfReport(db: Queryable, workflowId: string, at: number) {
  const [row] = await db.query<
    Pick<Row, 'state' | 'dueAt' | 'readBy' | 'readAt' | 'outcome'> & { id: string }
  >(
    `SELECT id, state, due_at AS "dueAt", decided_by_name AS "readBy", decided_at AS "readAt", outcome
       FROM review WHERE workflow_id = $1 AND task_ref = $2 ORDER BY created_at DESC LIMIT 1`,
    [workflowId, READ_TASK],
  );
  if (row === undefined) return null;
  return {
    reviewId: row.id,
    state: readingOf({ ...row, id: row.id } as Row, at),
    outcome: row.outcome,
    by: row.readBy,
    at: isoOrNull(row.readAt),
  };
}
