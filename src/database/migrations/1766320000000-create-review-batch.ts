import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * What one person asked of many reviews at once, under a key of their own, and what came of each: the same request
 * again finds its answers. Workers may stay up: the version before knows neither table.
 */
export class CreateReviewBatch1766320000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE review_batch (
        id uuid PRIMARY KEY,
        -- Who asked, as the audit record names them.
        actor text NOT NULL,
        key text NOT NULL,
        -- SHA-256 of the request: another one under the same key is refused.
        request_digest text NOT NULL,
        created_at bigint NOT NULL,
        UNIQUE (actor, key)
      )`);
    // Serves forgetting those that are old.
    await db.query(`CREATE INDEX review_batch_age ON review_batch (created_at)`);
    await db.query(`
      CREATE TABLE review_batch_item (
        batch_id uuid NOT NULL REFERENCES review_batch (id) ON DELETE CASCADE,
        -- As it was asked for; there may be no such review.
        review_id uuid NOT NULL,
        result json NOT NULL,
        PRIMARY KEY (batch_id, review_id)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE review_batch_item`);
    await db.query(`DROP TABLE review_batch`);
  }
}
