import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table. What they still record whole stays in the event as they wrote it.
export class KeepPersonalFactsBeside1766480000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // What an event says of a person: the event holds the commitment, and the value stands here until it is erased.
    await db.query(`
      CREATE TABLE audit_personal (
        -- SHA-256 of the salt and the value. Without the salt it says nothing of the value.
        commitment bytea PRIMARY KEY CHECK (octet_length(commitment) = 32),
        -- Whom it is about, as an actor: 'user:…'.
        person text NOT NULL,
        salt bytea NOT NULL CHECK (octet_length(salt) = 16),
        -- JSON, to the byte.
        value text NOT NULL
      )`);
    // Serves the erasure of one person's.
    await db.query(`CREATE INDEX audit_personal_person ON audit_personal (person)`);
    await db.query(`
      CREATE FUNCTION audit_personal_is_only_erased() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit_personal takes and erases values, and changes none';
      END $$`);
    await db.query(`
      CREATE TRIGGER audit_personal_only_erased BEFORE UPDATE OR TRUNCATE ON audit_personal
      FOR EACH STATEMENT EXECUTE FUNCTION audit_personal_is_only_erased()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE audit_personal`);
    await db.query(`DROP FUNCTION audit_personal_is_only_erased()`);
  }
}
