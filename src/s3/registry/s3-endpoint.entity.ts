import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A server of S3's protocol, and how the service logs in there. */
@Entity({ name: 's3_endpoint' })
export class S3EndpointEntity {
  @PrimaryColumn({ type: 'text', collation: 'C' })
  id!: string;

  @Column({ type: 'text' })
  kind!: 'embedded' | 'configured' | 'registered';

  @Column({ type: 'text', nullable: true })
  url!: string | null;

  @Column({ type: 'text' })
  region!: string;

  @Column({ type: 'boolean', name: 'path_style' })
  pathStyle!: boolean;

  @Column({ type: 'text' })
  credentials!: 'default' | 'keys' | 'role';

  @Column({ type: 'text', name: 'sealed_keys', nullable: true })
  sealedKeys!: string | null;

  @Column({ type: 'text', name: 'access_key_hint', nullable: true })
  accessKeyHint!: string | null;

  @Column({ type: 'text', name: 'role_arn', nullable: true })
  roleArn!: string | null;

  @Column({ type: 'text', name: 'external_id', nullable: true })
  externalId!: string | null;

  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'bigint', name: 'created_at' })
  createdAt!: string;

  @Column({ type: 'bigint', name: 'updated_at' })
  updatedAt!: string;

  @Column({ type: 'text', name: 'updated_by' })
  updatedBy!: string;
}
