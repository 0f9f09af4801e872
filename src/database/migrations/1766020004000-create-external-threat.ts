import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only a new table.
export class CreateExternalThreat1766020004000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // What another scanner found in an object. It forbids that a scan of these bytes ends as clean.
    await db.query(`
      CREATE TABLE external_threat (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        -- Digest of engine, object, result and names: the same report again changes nothing.
        threat_key text NOT NULL UNIQUE,
        engine text NOT NULL,
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        key text NOT NULL,
        version_id text,
        e_tag text,
        names text[] NOT NULL,
        received_at bigint NOT NULL,
        -- Until its object has a verdict that knows of it: looked at again from then on.
        look_at bigint NOT NULL,
        attempts int NOT NULL DEFAULT 0,
        settled_at bigint,
        -- How: judged, rescanned, gone, given_up.
        outcome text
      )`);
    // Serves the scan of the object.
    await db.query(`CREATE INDEX external_threat_key ON external_threat (bucket, key)`);
    // Serves the loop that sees to them.
    await db.query(`CREATE INDEX external_threat_due ON external_threat (look_at) WHERE settled_at IS NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE external_threat`);
  }
}
