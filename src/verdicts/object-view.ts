import { z } from 'zod';
import type { ObjectRow } from './sql/list-objects.js';
import { REQUIRED_ENGINES, VERDICTS } from './verdict.js';

const iso = z.iso.datetime();
const maybe = <T extends z.ZodType>(schema: T) => schema.nullable();

const EngineView = z.object({
  name: z.string(),
  version: z.string(),
  database: z.string().optional(),
  databaseDate: z.string().optional(),
});

/** An object version as the API shows it. What is not known is null. */
export const ObjectView = z
  .object({
    id: z.uuid(),
    endpointId: z.string(),
    bucket: z.string(),
    key: z.string(),
    versionId: maybe(z.string()),
    eTag: maybe(z.string()),
    sizeBytes: maybe(z.number()),
    lastModified: maybe(z.string()),
    contentType: maybe(z.string()),
    detectedType: maybe(z.string()),
    storageClass: maybe(z.string()),
    isLatest: z.boolean(),
    verdict: z.enum(VERDICTS),
    reason: maybe(z.string()),
    detail: maybe(z.string()),
    /** The engines that the bucket required when this was said; null where the verdict is not one of engines. */
    required: maybe(z.array(z.enum(REQUIRED_ENGINES))),
    engines: z.array(EngineView),
    bytesScanned: maybe(z.number()),
    bytesTotal: maybe(z.number()),
    sha256: maybe(z.string()),
    uploadedAt: iso,
    /** The principal that the upload's event named, as `AWS:AROA…:session`; null where none did. */
    uploader: maybe(z.string()),
    firstSeenAt: iso,
    scannedAt: maybe(iso),
    deletedAt: maybe(iso),
    generation: z.number(),
    workflowId: maybe(z.string()),
    decision: maybe(z.string()),
    decidedAt: maybe(iso),
    action: maybe(z.string()),
    actionPerformed: maybe(z.boolean()),
    openReviewId: maybe(z.string()),
    /** Of the scan that the verdict is of; the story shows a thousand at most. */
    findingsTotal: z.number(),
    /** Of the scan that the verdict comes from, up to 100 together; certain are those of confidence high; accepted ones are in neither. */
    findingCounts: z.object({ certain: z.number(), uncertain: z.number(), accepted: z.number() }),
    /** Another row stands for these bytes; this one is in no list and no count. */
    duplicateOf: maybe(z.uuid()),
  })
  .meta({ id: 'ObjectVersion' });
export type ObjectView = z.infer<typeof ObjectView>;

export const ObjectPage = z
  .object({ items: z.array(ObjectView), nextCursor: z.string().optional() })
  .meta({ id: 'ObjectVersionPage' });
export type ObjectPage = z.infer<typeof ObjectPage>;

export const ObjectSummary = z
  .object({
    total: z.number(),
    counts: z.partialRecord(z.enum(VERDICTS), z.number()),
    /** Of the skipped: copies that a release wrote, which nobody uploaded. */
    released: z.number(),
  })
  .meta({ id: 'ObjectSummary' });
export type ObjectSummary = z.infer<typeof ObjectSummary>;

/** ISO 8601 of milliseconds since the epoch. */
export const isoOf = (at: number): string => new Date(at).toISOString();
export const maybeIso = (at: number | null): string | null => (at === null ? null : isoOf(at));

export const objectView = (row: ObjectRow): ObjectView => ({
  id: row.id,
  endpointId: row.endpoint_id,
  bucket: row.bucket,
  key: row.key,
  versionId: row.version_id,
  eTag: row.e_tag,
  sizeBytes: row.size_bytes,
  lastModified: row.last_modified,
  contentType: row.content_type,
  detectedType: row.detected_type,
  storageClass: row.storage_class,
  isLatest: row.is_latest,
  verdict: row.verdict,
  reason: row.reason,
  detail: row.detail,
  required: row.required === null ? null : [...row.required],
  engines: [...(row.engines ?? [])],
  bytesScanned: row.bytes_scanned,
  bytesTotal: row.bytes_total,
  sha256: row.sha256,
  uploadedAt: isoOf(row.uploaded_at),
  uploader: row.uploader,
  firstSeenAt: isoOf(row.first_seen_at),
  scannedAt: maybeIso(row.scanned_at),
  deletedAt: maybeIso(row.deleted_at),
  generation: row.generation,
  workflowId: row.workflow_id,
  decision: row.decision,
  decidedAt: maybeIso(row.decided_at),
  action: row.action,
  actionPerformed: row.action_performed,
  openReviewId: row.open_review_id,
  findingsTotal: row.findings_total,
  findingCounts: {
    certain: row.certain_findings,
    uncertain: row.uncertain_findings,
    accepted: row.accepted_findings,
  },
  duplicateOf: row.folded_into,
});
