import { createHash } from 'node:crypto';
import { canonicalJson } from '../../canonical-json.js';

/** One event as it is chained: what stands in the table, to the byte. */
export interface AuditRecord {
  /** Its number in `audit_event`. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  /** The JSON text as it is stored: one space more is another record. */
  readonly data: string;
}

/** An event's place in the chain: the first has 1, and none is left out. */
export interface AuditLink {
  readonly seq: number;
  readonly eventId: string;
  /** SHA-256. */
  readonly hash: Buffer;
}

/** What the first event is chained to. Other records under another chain's hashes do not fit. */
export const genesisOf = (chainId: string): Buffer => sha256(Buffer.from(canonicalJson({ chain: chainId })));

/** SHA-256 of the hash before and the RFC 8785 text of the record with its place. */
export const hashOf = (before: Buffer, seq: number, record: AuditRecord): Buffer =>
  sha256(Buffer.concat([before, Buffer.from(canonicalJson({ ...fieldsOf(record), seq }))]));

/** The record alone, whatever else a row carries. */
const fieldsOf = ({ id, at, actor, action, subject, data }: AuditRecord): AuditRecord => ({
  id,
  at,
  actor,
  action,
  subject,
  data,
});

/** Chains records after a place. */
export function chained(
  after: { readonly seq: number; readonly hash: Buffer },
  records: readonly AuditRecord[],
): AuditLink[] {
  let { seq, hash } = after;
  return records.map((record) => {
    seq += 1;
    hash = hashOf(hash, seq, record);
    return { seq, eventId: record.id, hash };
  });
}

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
