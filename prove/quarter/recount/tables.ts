import type { Database } from '../../../src/database/database.js';

/** Numbers come as text where PostgreSQL keeps 64 bits. */
type Big = string;

export interface ObjectRow {
  readonly id: string;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly size_bytes: Big | null;
  readonly uploaded_at: Big;
  readonly first_seen_at: Big;
  readonly deleted_at: Big | null;
  readonly folded_into: string | null;
  readonly origin: string;
}

export interface ScanRow {
  readonly id: string;
  readonly object_id: string;
  readonly generation: number;
  readonly opened_object: boolean;
  readonly requested_at: Big;
  readonly verdict_at: Big | null;
}

export interface EventRow {
  readonly object_id: string | null;
  readonly opened_object: boolean;
  readonly received_at: Big;
}

export interface VerdictRow {
  readonly id: Big;
  readonly object_id: string;
  readonly scan_id: string | null;
  readonly generation: number;
  readonly verdict: string;
  readonly reason: string;
  readonly at: Big;
}

export interface FindingRow {
  readonly scan_id: string;
  readonly object_id: string;
  readonly kind: string;
  readonly rule_id: string;
  readonly severity: string;
  readonly fingerprint: string;
  readonly accepted: boolean;
  readonly exception_id: string | null;
}

interface Party {
  readonly kind: string;
  readonly name: string;
  readonly id?: string;
}

export interface ReviewRow {
  readonly id: string;
  readonly state: string;
  readonly queue: string;
  readonly outcome: string | null;
  readonly decided_by: string | null;
  readonly decided_at: Big | null;
  readonly decided_via: string | null;
  readonly decision_reason: string | null;
  readonly cancelled_at: Big | null;
  readonly created_at: Big;
  readonly due_at: Big | null;
  readonly round: number;
  readonly excluded: readonly { readonly id: string }[];
  readonly policy: {
    readonly rejecting: readonly string[];
    readonly quorum: { readonly approve: number; readonly reject: number };
    readonly to: readonly Party[];
    readonly onExpire: { readonly action: string };
    readonly escalation: readonly { readonly to: readonly Party[] }[];
  };
  readonly escalated: number;
}

export interface VoteRow {
  readonly review_id: string;
  readonly round: number;
  readonly person_id: string;
  readonly outcome: string;
  readonly at: Big;
  readonly on_behalf_of: string | null;
  readonly groups: readonly string[];
  readonly is_override: boolean;
  readonly withdrawn_at: Big | null;
}

export interface ReviewEventRow {
  readonly review_id: string;
  readonly at: Big;
  readonly kind: string;
  readonly data: { readonly to?: { readonly id: string } };
}

export interface ExceptionRow {
  readonly id: string;
  readonly state: string;
  readonly expires_at: Big;
  readonly requested_at: Big;
  readonly decided_at: Big | null;
  readonly ended_at: Big | null;
  readonly extends: string | null;
}

/** The rows of every table that a report tells of, as they are at this moment. */
export interface Tables {
  readonly objects: readonly ObjectRow[];
  readonly scans: readonly ScanRow[];
  readonly events: readonly EventRow[];
  readonly verdicts: readonly VerdictRow[];
  readonly findings: readonly FindingRow[];
  readonly actions: readonly {
    readonly object_id: string;
    readonly action: string;
    readonly performed: boolean;
  }[];
  readonly decisions: readonly { readonly object_id: string; readonly at: Big }[];
  readonly released: readonly {
    readonly endpoint_id: string;
    readonly bucket: string;
    readonly key: string;
    readonly version_id: string | null;
  }[];
  readonly reviews: readonly ReviewRow[];
  readonly votes: readonly VoteRow[];
  readonly reviewEvents: readonly ReviewEventRow[];
  readonly exceptions: readonly ExceptionRow[];
}

export async function readTables(database: Database): Promise<Tables> {
  const all = <Row>(table: string): Promise<Row[]> => database.query<Row>(`SELECT * FROM ${table}`);
  return {
    objects: await all('object_version'),
    scans: await all('scan'),
    events: await all('intake_event'),
    verdicts: await all('verdict'),
    findings: await all('finding'),
    actions: await all('object_action'),
    decisions: await all('object_decision'),
    released: await all('released_object'),
    reviews: await all('review'),
    votes: await all('review_vote'),
    reviewEvents: await all('review_event'),
    exceptions: await all('finding_exception'),
  };
}

/** [from, to) */
export interface Week {
  readonly from: number;
  readonly to: number;
}

export const isIn = ({ from, to }: Week, at: Big | number | null): boolean =>
  at !== null && Number(at) >= from && Number(at) < to;

export const count = (counts: Record<string, number>, name: string, by = 1): void => {
  counts[name] = (counts[name] ?? 0) + by;
};

export function groupBy<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const known = groups.get(keyOf(row));
    if (known === undefined) groups.set(keyOf(row), [row]);
    else known.push(row);
  }
  return groups;
}
