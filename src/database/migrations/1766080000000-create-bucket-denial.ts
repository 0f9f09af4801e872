import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table. Nodes that do not know it note nothing in it.
export class CreateBucketDenial1766080000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // One row for each bucket that S3 refuses to be read, until it may be read again.
    await db.query(`
      CREATE TABLE bucket_denial (
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        first_at bigint NOT NULL,
        -- Of the last refusal, to the minute.
        last_at bigint NOT NULL,
        reason text NOT NULL,
        detail text,
        -- When people were told of it last.
        told_at bigint,
        PRIMARY KEY (endpoint_id, bucket)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE bucket_denial`);
  }
}
