import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables.
export class CreateListing1766040000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE listing_run (
        id uuid PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('backfill', 'rescan', 'reconcile')),
        state text NOT NULL
          CHECK (state IN ('estimating', 'estimated', 'running', 'paused', 'completed', 'cancelled', 'failed')),
        -- Absent for a rescan of every bucket.
        endpoint_id text,
        bucket text,
        prefix text NOT NULL,
        options json NOT NULL,
        requested_by text NOT NULL,
        cause text NOT NULL,
        -- What must begin once only, however many nodes see the reason for it.
        once_key text UNIQUE,
        created_at bigint NOT NULL,
        started_at bigint,
        listed_at bigint,
        ended_at bigint,
        -- How far: in the listing, in the check for what vanished, in the ledger.
        place_key text,
        place_version text,
        checked_key text,
        place_at bigint,
        place_id uuid,
        -- Counts what was committed: whoever worked on an older step than this has lost the run.
        step bigint NOT NULL DEFAULT 0,
        lease_owner text,
        lease_until bigint NOT NULL DEFAULT 0,
        worked_at bigint NOT NULL DEFAULT 0,
        not_before bigint NOT NULL DEFAULT 0,
        failures int NOT NULL DEFAULT 0,
        last_error text,
        counts json NOT NULL,
        verdicts json NOT NULL,
        -- Objects that end a second, of late.
        pace double precision,
        settled_at bigint,
        estimate json
      ) WITH (fillfactor = 70)`);
    // Serves the lister's look at what is to be done.
    await db.query(`
      CREATE INDEX listing_run_open ON listing_run (worked_at)
      WHERE state IN ('estimating', 'running', 'paused')`);
    // Serves the list of runs.
    await db.query(`CREATE INDEX listing_run_created ON listing_run (created_at DESC, id DESC)`);

    // Scans of a run that have no verdict yet; as many as may wait at once, and no more.
    await db.query(`
      CREATE TABLE listing_item (
        run_id uuid NOT NULL,
        scan_id uuid NOT NULL,
        size_bytes bigint NOT NULL,
        PRIMARY KEY (run_id, scan_id)
      )`);

    await db.query(`
      CREATE TABLE bucket_watch (
        endpoint_id text NOT NULL,
        bucket text NOT NULL,
        -- From then on its uploads are told by events; what was there before is a backfill's.
        since bigint NOT NULL,
        reconciled_at bigint,
        -- Uploads that no event told of are known since then, and how many.
        missed_since bigint,
        missed bigint NOT NULL DEFAULT 0,
        alerted_at bigint,
        PRIMARY KEY (endpoint_id, bucket)
      )`);

    // Signature databases and rule packs, each when it was first seen anywhere.
    await db.query(`
      CREATE TABLE engine_seen (
        engine text NOT NULL,
        database text NOT NULL,
        first_seen_at bigint NOT NULL,
        PRIMARY KEY (engine, database)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['engine_seen', 'bucket_watch', 'listing_item', 'listing_run']) {
      await db.query(`DROP TABLE ${table}`);
    }
  }
}
