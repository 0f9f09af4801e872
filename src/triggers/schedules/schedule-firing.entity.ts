import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One due instant of a schedule, and what became of it. Times are milliseconds since the epoch, as bigint text. */
@Entity({ name: 'schedule_firing' })
export class ScheduleFiringEntity {
  @PrimaryColumn({ type: 'uuid', name: 'schedule_id' })
  scheduleId!: string;

  @PrimaryColumn({ type: 'bigint', name: 'due_at' })
  dueAt!: string;

  @Column({ type: 'text' })
  kind!: string;

  @Column({ type: 'text' })
  state!: 'waiting' | 'running' | 'done' | 'failed' | 'missed';

  @Column({ type: 'text', name: 'requested_by', nullable: true })
  requestedBy!: string | null;

  @Column({ type: 'int' })
  attempts!: number;

  @Column({ type: 'bigint', name: 'look_at' })
  lookAt!: string;

  @Column({ type: 'bigint', name: 'started_at', nullable: true })
  startedAt!: string | null;

  @Column({ type: 'bigint', name: 'ended_at', nullable: true })
  endedAt!: string | null;

  @Column({ type: 'bigint', name: 'missed_until', nullable: true })
  missedUntil!: string | null;

  @Column({ type: 'text', nullable: true })
  error!: string | null;
}
