import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from './bigint.js';

/** One scan of one object version; its workflow's id follows from its own. Times in milliseconds. */
@Entity({ name: 'scan' })
export class ScanEntity {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid', name: 'object_id' })
  objectId!: string;

  @Column({ type: 'int' })
  generation!: number;

  @Column({ type: 'text' })
  origin!: 'event' | 'request';

  @Column({ type: 'text', name: 'requested_by' })
  requestedBy!: string;

  @Column({ type: 'text', nullable: true })
  rule!: string | null;

  @Column({ type: 'boolean', name: 'opened_object' })
  openedObject!: boolean;

  @Column({ type: 'text', name: 'workflow_name' })
  workflowName!: string;

  @Column({ type: 'text', name: 'workflow_id' })
  workflowId!: string;

  @Column({ type: 'bigint', name: 'requested_at', transformer: bigintAsNumber })
  requestedAt!: number;

  @Column({ type: 'bigint', name: 'started_at', nullable: true, transformer: bigintAsNumber })
  startedAt!: number | null;

  @Column({ type: 'bigint', name: 'verdict_at', nullable: true, transformer: bigintAsNumber })
  verdictAt!: number | null;

  @Column({ type: 'bigint', name: 'closed_at', nullable: true, transformer: bigintAsNumber })
  closedAt!: number | null;

  @Column({ type: 'uuid', name: 'duplicate_of', nullable: true })
  duplicateOf!: string | null;

  @Column({ type: 'text', nullable: true })
  failure!: string | null;

  /** Of the queue that it came from; absent before it starts. */
  @Column({ type: 'text', name: 'source_class', nullable: true })
  sourceClass!: string | null;

  @Column({ type: 'int', name: 'secrets_total' })
  secretsTotal!: number;

  @Column({ type: 'int', name: 'malware_total' })
  malwareTotal!: number;
}
