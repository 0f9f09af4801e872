import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** What a source sent and nobody could use, with the reason. */
@Entity({ name: 'intake_reject' })
export class IntakeRejectEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column({ type: 'text', name: 'reject_key', unique: true })
  rejectKey!: string;

  @Column({ type: 'text', name: 'source_kind' })
  sourceKind!: string;

  @Column({ type: 'text', name: 'endpoint_id', nullable: true })
  endpointId!: string | null;

  @Column({ type: 'text' })
  reason!: string;

  @Column({ type: 'text' })
  path!: string;

  @Column({ type: 'text' })
  message!: string;

  @Column({ type: 'text', nullable: true })
  bucket!: string | null;

  @Column({ type: 'text' })
  raw!: string;

  /** `raw` is only the beginning. */
  @Column({ type: 'boolean', default: false })
  truncated!: boolean;

  @Column({ type: 'int', default: 1 })
  deliveries!: number;

  @Column({ type: 'bigint', name: 'first_at' })
  firstAt!: string;

  @Column({ type: 'bigint', name: 'last_at' })
  lastAt!: string;
}
