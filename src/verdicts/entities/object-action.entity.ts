import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { bigintAsNumber } from './bigint.js';

/** Something done to an object, or deliberately not done; `note` says which. */
@Entity({ name: 'object_action' })
export class ObjectActionEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column({ type: 'uuid', name: 'scan_id' })
  scanId!: string;

  @Column({ type: 'uuid', name: 'object_id' })
  objectId!: string;

  @Column({ type: 'text', name: 'task_id' })
  taskId!: string;

  @Column({ type: 'text' })
  action!: string;

  @Column({ type: 'boolean' })
  performed!: boolean;

  @Column({ type: 'text', nullable: true })
  note!: string | null;

  @Column({ type: 'json', nullable: true })
  data!: Record<string, unknown> | null;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  at!: number;
}
