import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { EngineReport, NotCovered } from '../ledger.js';
import type { RequiredEngine, Verdict } from '../verdict.js';
import { bigintAsNumber } from './bigint.js';

/** A verdict as it was spoken; rows are only ever added. */
@Entity({ name: 'verdict' })
export class VerdictEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column({ type: 'uuid', name: 'object_id' })
  objectId!: string;

  @Column({ type: 'uuid', name: 'scan_id', nullable: true })
  scanId!: string | null;

  @Column({ type: 'int' })
  generation!: number;

  @Column({ type: 'text' })
  verdict!: Verdict;

  @Column({ type: 'text' })
  reason!: string;

  @Column({ type: 'text', nullable: true })
  detail!: string | null;

  @Column({ type: 'text', array: true, nullable: true })
  required!: RequiredEngine[] | null;

  @Column({ type: 'json' })
  engines!: EngineReport[];

  @Column({ type: 'bigint', name: 'bytes_scanned', transformer: bigintAsNumber })
  bytesScanned!: number;

  @Column({ type: 'bigint', name: 'bytes_total', transformer: bigintAsNumber })
  bytesTotal!: number;

  @Column({ type: 'text', nullable: true })
  sha256!: string | null;

  @Column({ type: 'json', name: 'not_covered' })
  notCovered!: NotCovered[];

  @Column({ type: 'text', name: 'workflow_id', nullable: true })
  workflowId!: string | null;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  at!: number;
}
