import { WROTE } from '../../verdicts/sql/release-of.js';
import { column, NO_UUID, PAGE, paged, time, type Population } from './population.js';

interface Row {
  readonly id: string;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly e_tag: string | null;
  readonly size_bytes: number | null;
  readonly detected_type: string | null;
  readonly origin: string;
  readonly uploader: string | null;
  readonly uploaded_at: number;
  readonly first_seen_at: number;
  readonly is_copy: boolean;
  readonly end_verdict: string | null;
  readonly end_reason: string | null;
  readonly end_at: number | null;
  readonly engines: string | null;
  readonly bytes_scanned: number | null;
  readonly bytes_total: number | null;
  readonly sha256: string | null;
  readonly verdict: string;
  readonly now_reason: string | null;
  readonly now_at: number | null;
  readonly decision: string | null;
  readonly decided_at: number | null;
  readonly action: string | null;
  readonly acted_at: number | null;
  readonly deleted_at: number | null;
  readonly workflow_id: string | null;
}

const STATEMENT = `
  SELECT o.id, o.endpoint_id, o.bucket, o.key, o.version_id, o.e_tag, o.size_bytes::float8, o.detected_type, o.origin,
         o.uploader, o.uploaded_at::float8, o.first_seen_at::float8,
         o.verdict = 'skipped' AND EXISTS (SELECT FROM released_object w WHERE ${WROTE}) AS is_copy,
         e.verdict AS end_verdict, e.reason AS end_reason, e.at::float8 AS end_at,
         (SELECT string_agg(concat_ws(' ', one->>'name', one->>'version', one->>'database'), '; ')
            FROM json_array_elements(e.engines) AS one) AS engines,
         e.bytes_scanned::float8, e.bytes_total::float8, e.sha256,
         o.verdict, n.reason AS now_reason, n.at::float8 AS now_at, o.decision, o.decided_at::float8,
         CASE WHEN o.action_performed THEN o.action END AS action, o.acted_at::float8, o.deleted_at::float8, o.workflow_id
    FROM object_version o
    LEFT JOIN LATERAL (SELECT * FROM verdict v WHERE v.object_id = o.id AND v.at < $2
                        ORDER BY v.generation DESC, v.id DESC LIMIT 1) e ON true
    LEFT JOIN verdict n ON n.id = o.verdict_id
   WHERE o.folded_into IS NULL AND o.first_seen_at >= $1 AND o.first_seen_at < $2
     AND (o.first_seen_at, o.id) > ($3, $4)
   ORDER BY o.first_seen_at, o.id LIMIT $5`;

/** Every object version that was first seen in the time, with the verdict that it had at its end and the one it has now. */
export const uploads: Population<Row> = {
  columns: [
    column('object_id', (row) => row.id),
    column('endpoint', (row) => row.endpoint_id),
    column('bucket', (row) => row.bucket),
    column('key', (row) => row.key),
    column('version_id', (row) => row.version_id),
    column('etag', (row) => row.e_tag),
    column('size_bytes', (row) => row.size_bytes),
    column('type', (row) => row.detected_type),
    column('told_by', (row) => row.origin),
    column('uploader', (row) => row.uploader),
    column('uploaded_at', (row) => time(row.uploaded_at)),
    column('first_seen_at', (row) => time(row.first_seen_at)),
    column('is_release_copy', (row) => row.is_copy),
    column('verdict_at_end', (row) => row.end_verdict ?? 'pending'),
    column('reason_at_end', (row) => row.end_reason),
    column('judged_at', (row) => time(row.end_at)),
    column('engines', (row) => row.engines),
    column('bytes_scanned', (row) => row.bytes_scanned),
    column('bytes_total', (row) => row.bytes_total),
    column('sha256', (row) => row.sha256),
    column('verdict_now', (row) => row.verdict),
    column('reason_now', (row) => row.now_reason),
    column('judged_now_at', (row) => time(row.now_at)),
    column('decision_now', (row) => row.decision),
    column('decided_at', (row) => time(row.decided_at)),
    column('action_now', (row) => row.action),
    column('acted_at', (row) => time(row.acted_at)),
    column('deleted_at', (row) => time(row.deleted_at)),
    column('workflow_id', (row) => row.workflow_id),
  ],
  rows: (db, { from, to }) =>
    paged<Row>((after) =>
      db.query(STATEMENT, [from, to, after?.first_seen_at ?? -1, after?.id ?? NO_UUID, PAGE]),
    ),
};
