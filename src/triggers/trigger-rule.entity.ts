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
}
