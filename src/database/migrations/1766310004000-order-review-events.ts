import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * Which transaction wrote an event: in the order of those that are over, nothing comes later than what was read.
 * Workers may stay up: what the version before writes gets it by default; what was there before has none and is streamed
 * to nobody.
 */
export class OrderReviewEvents1766310004000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE review_event ADD COLUMN xid xid8`);
    // Apart: a default that comes with the column would be computed for every row.
    await db.query(`ALTER TABLE review_event ALTER COLUMN xid SET DEFAULT pg_current_xact_id()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE review_event DROP COLUMN xid`);
  }
}
