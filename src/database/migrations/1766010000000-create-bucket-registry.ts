import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new tables. What the configuration names is put into them by every start.
export class CreateBucketRegistry1766010000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Every change locks the row and raises it: changes come one after the other, and other nodes see that there was one.
    await db.query(`
      CREATE TABLE bucket_registry (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        revision bigint NOT NULL
      )`);
    await db.query(`INSERT INTO bucket_registry (revision) VALUES (0)`);
    await db.query(`
      CREATE TABLE s3_endpoint (
        id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
        -- Address and credentials of 'embedded' and 'configured' are the process's own; what stands here tells of them.
        kind text NOT NULL CHECK (kind IN ('embedded', 'configured', 'registered')),
        -- AWS when null.
        url text,
        region text NOT NULL,
        path_style boolean NOT NULL,
        credentials text NOT NULL CHECK (credentials IN ('default', 'keys', 'role')),
        -- Access key id and secret, encrypted with a key of the keyring.
        sealed_keys text,
        -- The end of the access key id, to tell one from another.
        access_key_hint text,
        role_arn text,
        external_id text,
        version int NOT NULL,
        created_at bigint NOT NULL,
        updated_at bigint NOT NULL,
        updated_by text NOT NULL,
        CHECK ((credentials = 'keys') <= (sealed_keys IS NOT NULL)),
        CHECK ((credentials = 'role') = (role_arn IS NOT NULL))
      )`);
    await db.query(`
      CREATE TABLE bucket (
        endpoint_id text COLLATE "C" NOT NULL REFERENCES s3_endpoint (id),
        name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
        action_mode text NOT NULL CHECK (action_mode IN ('observe', 'tag', 'quarantine')),
        required text[] NOT NULL,
        quarantine_bucket text,
        versioned boolean,
        owner_group text,
        reviewers text,
        priority int CHECK (priority BETWEEN 0 AND 99),
        max_running int CHECK (max_running > 0),
        max_running_bytes bigint CHECK (max_running_bytes > 0),
        -- A JSON list, encrypted with a key of the keyring.
        sealed_archive_passwords text,
        archive_password_count int NOT NULL DEFAULT 0,
        expected_owner text,
        requester_pays boolean NOT NULL,
        enabled boolean NOT NULL,
        -- 'configuration': follows S3_BUCKETS and its companions until somebody changes it.
        managed_by text NOT NULL CHECK (managed_by IN ('configuration', 'people')),
        version int NOT NULL,
        created_at bigint NOT NULL,
        updated_at bigint NOT NULL,
        updated_by text NOT NULL,
        -- Scans under way end by its policy; S3_BUCKETS does not bring it back.
        removed_at bigint,
        PRIMARY KEY (endpoint_id, name),
        CHECK (action_mode <> 'quarantine' OR quarantine_bucket IS NOT NULL)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['bucket', 's3_endpoint', 'bucket_registry']) await db.query(`DROP TABLE ${table}`);
  }
}
