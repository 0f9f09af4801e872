import type { TestDatabase } from './database.js';

/** A made-up past in the tables, in numbers that no service could make in a test. Ids tell the row: `n` as a UUID. */
export const idOf = (family: number, n: number): string =>
  `${String(family).padStart(8, '0')}-0000-4000-8000-${String(n).padStart(12, '0')}`;

const UUID = (family: number, n = 'n'): string =>
  `('${String(family).padStart(8, '0')}-0000-4000-8000-' || lpad((${n})::text, 12, '0'))::uuid`;

export const OBJECT = 1;
export const SCAN = 2;
export const REVIEW = 3;
export const EXCEPTION = 4;

/** `count` uploads, `perMs` of them in each millisecond from `at` on; each was judged a second later. */
export async function pastUploads(
  test: TestDatabase,
  { count, at, perMs = 1 }: { readonly count: number; readonly at: number; readonly perMs?: number },
): Promise<void> {
  const seen = `($2::bigint + n / ${perMs})`;
  await test.query(
    `INSERT INTO object_version (id, endpoint_id, bucket, key, version_id, identity, identity_fixed, origin, is_latest,
       uploaded_at, first_seen_at, verdict, verdict_generation, generation, size_bytes, workflow_id, uploader)
     SELECT ${UUID(OBJECT)}, 'e', 'b' || n % 3, '=dir/' || n, 'v', 'i' || n, true, 'event', true, ${seen}, ${seen},
            'secrets', 1, 1, n, 'w' || n, 'AWS:someone'
       FROM generate_series(1, $1::int) n`,
    [count, at],
  );
  await test.query(
    `INSERT INTO scan (id, object_id, generation, origin, requested_by, opened_object, workflow_name, workflow_id,
       requested_at, verdict_at)
     SELECT ${UUID(SCAN)}, ${UUID(OBJECT)}, 1, 'event', 'system:intake', false, 'scan', 'w' || n, ${seen}, ${seen} + 1000
       FROM generate_series(1, $1::int) n`,
    [count, at],
  );
  await test.query(
    `INSERT INTO verdict (object_id, scan_id, generation, verdict, reason, engines, bytes_scanned, bytes_total, sha256,
       not_covered, at)
     SELECT ${UUID(OBJECT)}, ${UUID(SCAN)}, 1, 'secrets', 'found',
            '[{"name":"secrets","version":"1"},{"name":"clamav","version":"1.4","database":"27000"}]', n, n, repeat('a', 64),
            '[]', ${seen} + 1000
       FROM generate_series(1, $1::int) n`,
    [count, at],
  );
  await test.query('UPDATE object_version o SET verdict_id = v.id FROM verdict v WHERE v.object_id = o.id');
}

/** So many findings in each of the first `scans` scans. */
export async function pastFindings(
  test: TestDatabase,
  { scans, each }: { readonly scans: number; readonly each: number },
): Promise<void> {
  await test.query(
    `INSERT INTO finding (scan_id, object_id, kind, rule_id, title, severity, confidence, path, line, excerpt, fingerprint)
     SELECT ${UUID(SCAN)}, ${UUID(OBJECT)}, 'secret', 'aws-access-key', 'AWS access key', 'critical', 'high', '', m,
            'KEY=AKIA…(16 characters)', 'hmac-sha256:k1:' || n || '-' || m
       FROM generate_series(1, $1::int) n, generate_series(1, $2::int) m ORDER BY n, m`,
    [scans, each],
  );
}

/** `count` questions, one in each minute from `at` on; all but every fifth are decided ten minutes later, by two votes. */
export async function pastReviews(
  test: TestDatabase,
  { count, at }: { readonly count: number; readonly at: number },
): Promise<void> {
  const opened = '($2::bigint + n * 60000)';
  const decided = `CASE WHEN n % 5 > 0 THEN`;
  await test.query(
    `INSERT INTO review (id, task_id, workflow_id, title, verdict, reason, outcomes, subject, subject_digest, state, queue,
       policy, workflow_name, task_ref, created_at, updated_at, checked_at, outcome, decided_at, decided_by, decided_by_name,
       decided_via, decided_method, decision_reason, object_id)
     SELECT ${UUID(REVIEW)}, 't' || n, 'w' || n, 'Question ' || n, 'secrets', 'found', '{release,delete}',
            json_build_object('object', json_build_object('ref', json_build_object('endpointId', 'e', 'bucket', 'b' || n % 3,
              'key', '=dir/' || n), 'objectId', ${UUID(OBJECT)}, 'uploader', 'AWS:someone'), 'sha256', repeat('a', 64)),
            'digest-' || n, ${decided} 'COMPLETED' ELSE 'OPEN' END, CASE n % 2 WHEN 0 THEN 'default' ELSE 'malware' END,
            '{"quorum":{"approve":2,"reject":1},"rejecting":["delete"]}', 'scan', 'ask', ${opened}, ${opened}, ${opened},
            ${decided} CASE n % 3 WHEN 0 THEN 'delete' ELSE 'release' END END, ${decided} ${opened} + 600000 END,
            ${decided} 'bob' END, ${decided} 'Bob' END, ${decided} 'web' END, ${decided} 'session' END,
            ${decided} 'seen' END, ${UUID(OBJECT)}
       FROM generate_series(1, $1::int) n`,
    [count, at],
  );
  await test.query(
    `INSERT INTO review_vote (review_id, round, person_id, person_name, outcome, reason, subject_digest, via, method, at)
     SELECT r.id, 1, p, initcap(p), r.outcome, 'seen', r.subject_digest, 'web', 'session', r.decided_at - 1000
       FROM review r, unnest('{alice,bob}'::text[]) p WHERE r.outcome IS NOT NULL`,
  );
}
