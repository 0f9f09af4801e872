import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A bucket whose uploads are scanned, and what holds for its objects. */
@Entity({ name: 'bucket' })
export class BucketEntity {
  @PrimaryColumn({ type: 'text', name: 'endpoint_id', collation: 'C' })
  endpointId!: string;

  @PrimaryColumn({ type: 'text', collation: 'C' })
  name!: string;

  @Column({ type: 'text', name: 'action_mode' })
  actionMode!: 'observe' | 'tag' | 'quarantine';

  @Column({ type: 'text', array: true })
  required!: string[];

  @Column({ type: 'text', name: 'quarantine_bucket', nullable: true })
  quarantineBucket!: string | null;

  @Column({ type: 'boolean', nullable: true })
  versioned!: boolean | null;

  @Column({ type: 'text', name: 'owner_group', nullable: true })
  ownerGroup!: string | null;

  @Column({ type: 'text', nullable: true })
  reviewers!: string | null;

  @Column({ type: 'int', nullable: true })
  priority!: number | null;

  @Column({ type: 'int', name: 'max_running', nullable: true })
  maxRunning!: number | null;

  @Column({ type: 'bigint', name: 'max_running_bytes', nullable: true })
  maxRunningBytes!: string | null;

  @Column({ type: 'text', name: 'sealed_archive_passwords', nullable: true })
  sealedArchivePasswords!: string | null;

  @Column({ type: 'int', name: 'archive_password_count', default: 0 })
  archivePasswordCount!: number;

  @Column({ type: 'text', name: 'expected_owner', nullable: true })
  expectedOwner!: string | null;

  @Column({ type: 'boolean', name: 'requester_pays' })
  requesterPays!: boolean;

  @Column({ type: 'boolean' })
  enabled!: boolean;

  @Column({ type: 'text', name: 'managed_by' })
  managedBy!: 'configuration' | 'people';

  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'bigint', name: 'created_at' })
  createdAt!: string;

  @Column({ type: 'bigint', name: 'updated_at' })
  updatedAt!: string;

  @Column({ type: 'text', name: 'updated_by' })
  updatedBy!: string;

  @Column({ type: 'bigint', name: 'removed_at', nullable: true })
  removedAt!: string | null;

  @Column({ type: 'text', name: 'quarantine_owner', nullable: true })
  quarantineOwner!: string | null;
}
