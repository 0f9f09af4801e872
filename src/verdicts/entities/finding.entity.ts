import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { bigintAsNumber } from './bigint.js';

/** One thing found in one scan; never the secret itself. */
@Entity({ name: 'finding' })
export class FindingEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column({ type: 'uuid', name: 'scan_id' })
  scanId!: string;

  @Column({ type: 'uuid', name: 'object_id' })
  objectId!: string;

  @Column({ type: 'text' })
  kind!: 'secret' | 'malware';

  @Column({ type: 'text', name: 'rule_id' })
  ruleId!: string;

  @Column({ type: 'text' })
  title!: string;

  @Column({ type: 'text' })
  severity!: string;

  @Column({ type: 'text' })
  confidence!: string;

  @Column({ type: 'text' })
  path!: string;

  @Column({ type: 'int', nullable: true })
  line!: number | null;

  @Column({ type: 'int', nullable: true })
  column!: number | null;

  @Column({ type: 'bigint', name: 'byte_offset', nullable: true, transformer: bigintAsNumber })
  byteOffset!: number | null;

  @Column({ type: 'text', nullable: true })
  excerpt!: string | null;

  @Column({ type: 'text' })
  fingerprint!: string;

  /** The scanner outside that found it; empty for our own. */
  @Column({ type: 'text' })
  source!: string;

  @Column({ type: 'text', nullable: true })
  remediation!: string | null;

  /** The baseline or an exception answered for it when it was found: it did not count for the verdict. */
  @Column({ type: 'boolean' })
  accepted!: boolean;

  @Column({ type: 'text', name: 'accepted_reason', nullable: true })
  acceptedReason!: string | null;

  /** The exception that did. */
  @Column({ type: 'uuid', name: 'exception_id', nullable: true })
  exceptionId!: string | null;

  /** What its provider said of the secret; null when nobody asked. */
  @Column({ type: 'text', nullable: true })
  verified!: 'active' | 'inactive' | 'unknown' | null;

  @Column({ type: 'bigint', name: 'verified_at', nullable: true, transformer: bigintAsNumber })
  verifiedAt!: number | null;
}
