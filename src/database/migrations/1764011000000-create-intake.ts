import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateIntake1764011000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE intake_event (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        -- Digest of (endpoint, bucket, key, versionId or eTag+size+sequencer, kind): tells a second delivery.
        event_key text NOT NULL UNIQUE,
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        key text NOT NULL,
        version_id text,
        e_tag text,
        size_bytes bigint,
        sequencer text,
        kind text NOT NULL,
        event_name text NOT NULL,
        source_kind text NOT NULL,
        event_at bigint,
        received_at bigint NOT NULL,
        object_id uuid REFERENCES object_version (id),
        -- This event made the object's row; coverage counts uploads by it.
        opened_object boolean NOT NULL,
        effect text NOT NULL
          CHECK (effect IN ('scan', 'skipped', 'superseded', 'known', 'deleted', 'marker'))
      )`);
    // Serves coverage's count of uploads.
    await db.query(`CREATE INDEX intake_event_opened ON intake_event (received_at) WHERE opened_object`);
    // Serves the object's page.
    await db.query(`CREATE INDEX intake_event_object ON intake_event (object_id)`);

    await db.query(`
      CREATE TABLE intake_reject (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        -- Digest of (reason, raw): the same message again raises the count.
        reject_key text NOT NULL UNIQUE,
        source_kind text NOT NULL,
        reason text NOT NULL,
        path text NOT NULL,
        message text NOT NULL,
        bucket text,
        -- As JSON text, at most 16 KB of it.
        raw text NOT NULL,
        deliveries int NOT NULL DEFAULT 1,
        first_at bigint NOT NULL,
        last_at bigint NOT NULL
      )`);
    // Serves the list of the newest rejects.
    await db.query(`CREATE INDEX intake_reject_last ON intake_reject (last_at DESC)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE intake_reject`);
    await db.query(`DROP TABLE intake_event`);
  }
}
