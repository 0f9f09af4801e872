import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** An event as it was told, once however often it was delivered. Times in milliseconds, as bigint text. */
@Entity({ name: 'intake_event' })
export class IntakeEventEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column({ type: 'text', name: 'event_key', unique: true })
  eventKey!: string;

  @Column({ type: 'text', name: 'endpoint_id' })
  endpointId!: string;

  @Column({ type: 'text' })
  bucket!: string;

  @Column({ type: 'text' })
  key!: string;

  @Column({ type: 'text', name: 'version_id', nullable: true })
  versionId!: string | null;

  @Column({ type: 'text', name: 'e_tag', nullable: true })
  eTag!: string | null;

  @Column({ type: 'bigint', name: 'size_bytes', nullable: true })
  sizeBytes!: string | null;

  @Column({ type: 'text', nullable: true })
  sequencer!: string | null;

  @Column({ type: 'text' })
  kind!: string;

  @Column({ type: 'text', name: 'event_name' })
  eventName!: string;

  @Column({ type: 'text', name: 'source_kind' })
  sourceKind!: string;

  @Column({ type: 'bigint', name: 'event_at', nullable: true })
  eventAt!: string | null;

  @Column({ type: 'bigint', name: 'received_at' })
  receivedAt!: string;

  @Column({ type: 'uuid', name: 'object_id', nullable: true })
  objectId!: string | null;

  @Column({ type: 'boolean', name: 'opened_object' })
  openedObject!: boolean;

  @Column({ type: 'text' })
  effect!: string;
}
