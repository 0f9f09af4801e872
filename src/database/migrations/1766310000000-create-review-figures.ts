import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: what the version before opens and claims has no taken_at, and counts in no time to claim.
export class CreateReviewFigures1766310000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // When somebody first claimed it or voted; a claim that was given back stays the first.
    await db.query(`ALTER TABLE review ADD COLUMN taken_at bigint`);
    // The hours that somebody measured; one that is missing was measured by nobody.
    await db.query(`
      CREATE TABLE review_hour (
        from_at bigint PRIMARY KEY,
        measured_at bigint NOT NULL
      )`);
    // What was in a queue at the end of an hour, and what happened in it; none where there was nothing.
    await db.query(`
      CREATE TABLE review_queue_hour (
        queue text NOT NULL,
        from_at bigint NOT NULL REFERENCES review_hour (from_at) ON DELETE CASCADE,
        figures json NOT NULL,
        PRIMARY KEY (queue, from_at)
      )`);
    // Serves the removal of old hours.
    await db.query(`CREATE INDEX review_queue_hour_from ON review_queue_hour (from_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE review_queue_hour`);
    await db.query(`DROP TABLE review_hour`);
    await db.query(`ALTER TABLE review DROP COLUMN taken_at`);
  }
}
