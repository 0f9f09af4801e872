import type { MigrationInterface, QueryRunner } from 'typeorm';

/* Who wants to hear of a review without being asked. Workers may stay up: the version before tells nobody more. */
export class CreateReviewWatcher1766320004000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE review_watcher (
        review_id uuid NOT NULL REFERENCES review (id),
        person_id text NOT NULL,
        person_name text NOT NULL,
        since bigint NOT NULL,
        PRIMARY KEY (review_id, person_id)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE review_watcher`);
  }
}
