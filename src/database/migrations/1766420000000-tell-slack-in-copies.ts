import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: columns with defaults that the version before leaves alone, and new tables.
export class TellSlackInCopies1766420000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE review_message
        -- Whose direct message it is; none for a channel.
        ADD COLUMN person_id text,
        -- The review's version that people see there, and of the steps after its decision.
        ADD COLUMN shown int NOT NULL DEFAULT 0,
        ADD COLUMN shown_steps int NOT NULL DEFAULT 0`);
    // A channel's id, or * for the workspace.
    await db.query(`
      CREATE TABLE slack_broken (
        place text PRIMARY KEY,
        since bigint NOT NULL,
        reason text NOT NULL
      )`);
    // Reviews that a broken channel should show.
    await db.query(`
      CREATE TABLE slack_unshown (
        review_id uuid PRIMARY KEY REFERENCES review (id),
        place text NOT NULL,
        at bigint NOT NULL,
        -- It may have been posted since then, and the answer was lost.
        look_since bigint
      )`);
    // One message about many new reviews, in a channel or in somebody's direct messages.
    await db.query(`
      CREATE TABLE slack_storm (
        id uuid PRIMARY KEY,
        channel text NOT NULL,
        person_id text,
        at bigint NOT NULL,
        ts text,
        calm_at bigint
      )`);
    await db.query(`CREATE INDEX slack_storm_channel ON slack_storm (channel, at)`);
    await db.query(`
      CREATE TABLE slack_storm_review (
        review_id uuid NOT NULL REFERENCES review (id),
        storm_id uuid NOT NULL REFERENCES slack_storm (id),
        PRIMARY KEY (review_id, storm_id)
      )`);
    await db.query(`CREATE INDEX slack_storm_review_storm ON slack_storm_review (storm_id)`);
    // What the workflow does after the decision, as it was last seen.
    await db.query(`
      CREATE TABLE slack_steps (
        review_id uuid PRIMARY KEY REFERENCES review (id),
        revision int NOT NULL,
        course json NOT NULL
      )`);
    // Which comment a reply in a thread became.
    await db.query(`
      CREATE TABLE slack_reply (
        channel text NOT NULL,
        ts text NOT NULL,
        review_id uuid NOT NULL REFERENCES review (id),
        comment_id uuid NOT NULL,
        PRIMARY KEY (channel, ts)
      )`);
    // Serves "where was this comment written".
    await db.query(`CREATE INDEX slack_reply_comment ON slack_reply (comment_id)`);
    // The moment of each kind of digest that was last told.
    await db.query(`CREATE TABLE slack_digest_time (kind text PRIMARY KEY, at bigint NOT NULL)`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of [
      'slack_digest_time',
      'slack_reply',
      'slack_steps',
      'slack_storm_review',
      'slack_storm',
      'slack_unshown',
      'slack_broken',
    ])
      await db.query(`DROP TABLE ${table}`);
    await db.query(
      `ALTER TABLE review_message DROP COLUMN person_id, DROP COLUMN shown, DROP COLUMN shown_steps`,
    );
  }
}
