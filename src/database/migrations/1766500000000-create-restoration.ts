import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreateRestoration1766500000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Each time this database was restored from a backup, and whether somebody has let it go on since.
    await db.query(`
      CREATE TABLE restoration (
        id uuid PRIMARY KEY,
        backup_id uuid NOT NULL,
        -- When the backup's snapshot was taken.
        backup_at bigint NOT NULL,
        restored_at bigint NOT NULL,
        -- The last event that both lives have, and the chain's hash there; 0 and null where nothing was chained.
        fork_seq bigint NOT NULL,
        fork_head bytea,
        -- What a comparison with S3 found, and when it began.
        reconciled_at bigint,
        reconciliation json,
        released_at bigint,
        released_by text
      )`);
    // One life goes on at a time: an older hold is over when another restore comes.
    await db.query(`CREATE UNIQUE INDEX restoration_held ON restoration ((true)) WHERE released_at IS NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE restoration`);
  }
}
