import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Verdict } from '../verdict.js';
import { bigintAsNumber } from './bigint.js';

/** One version of one object, with a copy of its current verdict for the lists. Times in milliseconds. */
@Entity({ name: 'object_version' })
export class ObjectVersionEntity {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text', name: 'endpoint_id' })
  endpointId!: string;

  @Column({ type: 'text' })
  bucket!: string;

  @Column({ type: 'text' })
  key!: string;

  @Column({ type: 'text', name: 'version_id', nullable: true })
  versionId!: string | null;

  /** See `identity.ts`. */
  @Column({ type: 'text', unique: true })
  identity!: string;

  @Column({ type: 'boolean', name: 'identity_fixed' })
  identityFixed!: boolean;

  @Column({ type: 'text', name: 'e_tag', nullable: true })
  eTag!: string | null;

  @Column({ type: 'bigint', name: 'size_bytes', nullable: true, transformer: bigintAsNumber })
  sizeBytes!: number | null;

  @Column({ type: 'text', name: 'last_modified', nullable: true })
  lastModified!: string | null;

  @Column({ type: 'text', name: 'content_type', nullable: true })
  contentType!: string | null;

  @Column({ type: 'text', name: 'detected_type', nullable: true })
  detectedType!: string | null;

  @Column({ type: 'text', name: 'storage_class', nullable: true })
  storageClass!: string | null;

  @Column({ type: 'text' })
  origin!: 'event' | 'request';

  @Column({ type: 'text', name: 'sequence_domain', nullable: true })
  sequenceDomain!: string | null;

  @Column({ type: 'text', nullable: true, collation: 'C' })
  sequence!: string | null;

  @Column({ type: 'boolean', name: 'is_latest' })
  isLatest!: boolean;

  @Column({ type: 'bigint', name: 'uploaded_at', transformer: bigintAsNumber })
  uploadedAt!: number;

  @Column({ type: 'text', nullable: true })
  uploader!: string | null;

  @Column({ type: 'bigint', name: 'first_seen_at', transformer: bigintAsNumber })
  firstSeenAt!: number;

  @Column({ type: 'bigint', name: 'deleted_at', nullable: true, transformer: bigintAsNumber })
  deletedAt!: number | null;

  @Column({ type: 'uuid', name: 'folded_into', nullable: true })
  foldedInto!: string | null;

  @Column({ type: 'int', default: 0 })
  generation!: number;

  @Column({ type: 'text', default: 'pending' })
  verdict!: Verdict;

  @Column({ type: 'bigint', name: 'verdict_id', nullable: true, transformer: bigintAsNumber })
  verdictId!: number | null;

  @Column({ type: 'int', name: 'verdict_generation', default: -1 })
  verdictGeneration!: number;

  @Column({ type: 'text', name: 'workflow_id', nullable: true })
  workflowId!: string | null;

  @Column({ type: 'text', nullable: true })
  decision!: string | null;

  @Column({ type: 'bigint', name: 'decided_at', nullable: true, transformer: bigintAsNumber })
  decidedAt!: number | null;

  @Column({ type: 'text', nullable: true })
  action!: string | null;

  @Column({ type: 'boolean', name: 'action_performed', nullable: true })
  actionPerformed!: boolean | null;

  @Column({ type: 'bigint', name: 'acted_at', nullable: true, transformer: bigintAsNumber })
  actedAt!: number | null;
}
