import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from './bigint.js';

/** What a person decided about an object. */
@Entity({ name: 'object_decision' })
export class ObjectDecisionEntity {
  @PrimaryColumn({ type: 'text', name: 'review_id' })
  reviewId!: string;

  @Column({ type: 'uuid', name: 'scan_id' })
  scanId!: string;

  @Column({ type: 'uuid', name: 'object_id' })
  objectId!: string;

  @Column({ type: 'text' })
  outcome!: string;

  @Column({ type: 'text', name: 'decided_by' })
  decidedBy!: string;

  @Column({ type: 'text' })
  reason!: string;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  at!: number;
}
