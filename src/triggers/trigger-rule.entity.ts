import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of the rules that say which uploads are scanned, and by which workflow. */
@Entity({ name: 'trigger_rule' })
export class TriggerRuleEntity {
  @PrimaryColumn({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  effect!: 'allow' | 'deny';

  @Column({ type: 'int' })
  position!: number;

  @Column({ type: 'text', nullable: true })
  bucket!: string | null;

  @Column({ type: 'text', nullable: true })
  prefix!: string | null;

  @Column({ type: 'text', nullable: true })
  suffix!: string | null;

  @Column({ type: 'bigint', name: 'min_size_bytes', nullable: true })
  minSizeBytes!: string | null;

  @Column({ type: 'bigint', name: 'max_size_bytes', nullable: true })
  maxSizeBytes!: string | null;

  @Column({ type: 'text', name: 'event_kinds', array: true })
  eventKinds!: string[];

  @Column({ type: 'text', name: 'workflow_name' })
  workflowName!: string;

  @Column({ type: 'int' })
  priority!: number;

  @Column({ type: 'boolean' })
  enabled!: boolean;

  /** What counts; where it is null, `enabled` does, which is what the first release reads. */
  @Column({ type: 'boolean', nullable: true })
  active!: boolean | null;

  @Column({ type: 'text', nullable: true })
  description!: string | null;

  @Column({ type: 'text', name: 'content_types', array: true, nullable: true })
  contentTypes!: string[] | null;

  @Column({ type: 'json', nullable: true })
  tags!: Record<string, string> | null;

  @Column({ type: 'boolean', name: 'trust_tags', default: false })
  trustTags!: boolean;

  @Column({ type: 'int', name: 'workflow_version', nullable: true })
  workflowVersion!: number | null;

  @Column({ type: 'json', nullable: true })
  shares!: { workflow: string; version?: number; percent: number }[] | null;

  @Column({ type: 'json', nullable: true })
  input!: Record<string, unknown> | null;

  @Column({ type: 'text', default: 'shipped' })
  origin!: 'shipped' | 'api' | 'file';

  @Column({ type: 'int', default: 1 })
  version!: number;

  @Column({ type: 'bigint', name: 'updated_at', default: 0 })
  updatedAt!: string;

  @Column({ type: 'text', name: 'updated_by', default: 'system:migration' })
  updatedBy!: string;
}
