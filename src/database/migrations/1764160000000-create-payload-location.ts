import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreatePayloadLocation1764160000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Where a client may write a value, or read one, for an hour. The value itself is in `external_payload` and its store.
    await db.query(`
      CREATE TABLE payload_location (
        token text COLLATE "C" PRIMARY KEY,
        operation text COLLATE "C" NOT NULL CHECK (operation IN ('READ', 'WRITE')),
        payload_type text COLLATE "C" NOT NULL,
        issued_to text COLLATE "C" NOT NULL,
        expires_at bigint NOT NULL,
        taken_at bigint,
        ref text COLLATE "C"
      )`);
    // Serves the removal of what has expired.
    await db.query('CREATE INDEX payload_location_expired ON payload_location (expires_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE payload_location');
  }
}
