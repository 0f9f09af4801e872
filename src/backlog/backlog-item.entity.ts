import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SourceClass } from './source-class.js';

/** A scan that waits to be started. The row goes when its workflow runs. */
@Entity({ name: 'backlog_item' })
export class BacklogItemEntity {
  @PrimaryColumn({ type: 'uuid', name: 'scan_id' })
  scanId!: string;

  @Column({ type: 'uuid', name: 'object_id' })
  objectId!: string;

  @Column({ type: 'text', name: 'endpoint_id' })
  endpointId!: string;

  @Column({ type: 'text' })
  bucket!: string;

  @Column({ type: 'text', name: 'source_class', default: 'upload' })
  sourceClass!: SourceClass;

  @Column({ type: 'int' })
  priority!: number;

  @Column({ type: 'text', name: 'workflow_name' })
  workflowName!: string;

  @Column({ type: 'int', name: 'workflow_version', nullable: true })
  workflowVersion!: number | null;

  @Column({ type: 'text', name: 'workflow_id' })
  workflowId!: string;

  @Column({ type: 'json' })
  input!: Record<string, unknown>;

  /** Absent where the event did not tell it. */
  @Column({ type: 'bigint', name: 'size_bytes', nullable: true })
  sizeBytes!: string | null;

  /** Milliseconds since the epoch, as PostgreSQL's bigint text. */
  @Column({ type: 'bigint', name: 'enqueued_at' })
  enqueuedAt!: string;

  @Column({ type: 'bigint', name: 'not_before' })
  notBefore!: string;

  /** Waits for `not_before` after a start that failed. */
  @Column({ type: 'boolean', default: false })
  postponed!: boolean;

  @Column({ type: 'int' })
  attempts!: number;

  @Column({ type: 'text', name: 'last_error', nullable: true })
  lastError!: string | null;

  /** Set while the rules must ask the object: when to ask. */
  @Column({ type: 'bigint', name: 'decide_at', nullable: true })
  decideAt!: string | null;

  /** What the rules were asked about, while `decideAt` is set. */
  @Column({ type: 'json', nullable: true })
  upload!: Record<string, unknown> | null;
}
