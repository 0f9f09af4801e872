import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Work that comes again and again. Times are milliseconds since the epoch, as PostgreSQL's bigint text. */
@Entity({ name: 'schedule' })
export class ScheduleEntity {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text', unique: true })
  name!: string;

  @Column({ type: 'text', nullable: true })
  description!: string | null;

  @Column({ type: 'text' })
  kind!: string;

  @Column({ type: 'json' })
  payload!: Record<string, unknown>;

  @Column({ type: 'text' })
  cron!: string;

  @Column({ type: 'text', name: 'time_zone' })
  timeZone!: string;

  @Column({ type: 'text', name: 'catch_up' })
  catchUp!: 'none' | 'last' | 'all';

  @Column({ type: 'int', name: 'catch_up_within_seconds' })
  catchUpWithinSeconds!: number;

  @Column({ type: 'boolean' })
  enabled!: boolean;

  @Column({ type: 'bigint', name: 'next_fire_at', nullable: true })
  nextFireAt!: string | null;

  @Column({ type: 'bigint', name: 'last_fire_at', nullable: true })
  lastFireAt!: string | null;

  @Column({ type: 'text', name: 'last_outcome', nullable: true })
  lastOutcome!: 'done' | 'retrying' | 'failed' | 'missed' | null;

  @Column({ type: 'text', name: 'last_error', nullable: true })
  lastError!: string | null;

  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'bigint', name: 'created_at' })
  createdAt!: string;

  @Column({ type: 'text', name: 'created_by' })
  createdBy!: string;

  @Column({ type: 'bigint', name: 'updated_at' })
  updatedAt!: string;

  @Column({ type: 'text', name: 'updated_by' })
  updatedBy!: string;
}
