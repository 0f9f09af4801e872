import { VERSION } from '../../ops/version.js';
import type { DecisionRow } from '../population/decisions.js';
import type { FindingRow } from '../population/findings.js';

/** Attributes that are used here, all of which later versions of the schema still have. */
const SCHEMA_VERSION = '1.3.0';
const METADATA = {
  version: SCHEMA_VERSION,
  product: { name: 'Sallyport', vendor_name: 'Sallyport', version: VERSION },
};

const SEVERITIES: Readonly<Record<string, number>> = { critical: 5, high: 4, medium: 3, low: 2, info: 1 };
const CONFIDENCES: Readonly<Record<string, number>> = { high: 3, medium: 2, low: 1 };
const UNKNOWN = 0;
const NEW = 1;
const SUPPRESSED = 3;

/** A finding as an event of the class Detection Finding. */
export function detectionFinding(row: FindingRow): Readonly<Record<string, unknown>> {
  const { endpoint_id, bucket, key, version_id, path } = row;
  return {
    category_uid: 2,
    class_uid: 2004,
    activity_id: 1,
    type_uid: 200_401,
    time: row.at,
    severity_id: SEVERITIES[row.severity] ?? UNKNOWN,
    confidence_id: CONFIDENCES[row.confidence] ?? UNKNOWN,
    status_id: row.accepted ? SUPPRESSED : NEW,
    metadata: { ...METADATA, uid: `finding-${row.id}` },
    finding_info: {
      uid: row.fingerprint,
      title: row.title === '' ? row.rule_id : row.title,
      types: [row.kind],
      created_time: row.at,
      analytic: { name: row.rule_id, uid: row.rule_id, type_id: 1 },
    },
    resources: [
      {
        uid: row.object_id,
        name: `${bucket}/${key}`,
        type: 'object',
        ...(version_id !== null && { version: version_id }),
        data: { endpoint: endpoint_id, member: path, line: row.line },
      },
    ],
    unmapped: { verdict: row.verdict, scan_id: row.scan_id, exception_id: row.exception_id },
  };
}

/** A vote as an event of the class API Activity; of a decision that nobody voted on, the service's own deed. */
export function decisionActivity(row: DecisionRow): Readonly<Record<string, unknown>> {
  const isVote = row.vote_by !== '';
  const via = (isVote ? row.vote_via : row.decided_via) ?? 'system';
  return {
    category_uid: 6,
    class_uid: 6003,
    activity_id: 3,
    type_uid: 600_303,
    time: isVote ? row.vote_at : row.decided_at,
    severity_id: 1,
    status_id: 1,
    metadata: {
      ...METADATA,
      uid: `review-${row.id}-${isVote ? `${row.vote_round}-${row.vote_by}` : 'decision'}`,
    },
    actor: isVote
      ? { user: { uid: row.vote_by, name: row.vote_by_name ?? row.vote_by } }
      : { app_name: 'Sallyport', app_uid: 'system' },
    api: { operation: isVote ? 'review.vote' : 'review.decide', service: { name: 'reviews' } },
    src_endpoint: { svc_name: via },
    resources: [
      { uid: row.id, name: row.title, type: 'review' },
      ...(row.object_id === null ? [] : [{ uid: row.object_id, name: row.object ?? '', type: 'object' }]),
    ],
    unmapped: {
      queue: row.queue,
      vote: row.vote_outcome,
      on_behalf_of: row.vote_for,
      method: isVote ? row.vote_method : row.decided_method,
      is_withdrawn: row.vote_withdrawn_at !== null,
      outcome: row.outcome,
      decided_at: row.decided_at,
      subject_digest: row.subject_digest,
    },
  };
}
