import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * Lists of reviews under a name, comments that can be searched and changed, and how grave a review is.
 *
 * Workers may stay up: what the version before opens has no risk of its own and is ordered by its verdict; comments that
 * it takes stand in the timeline and are not found by their words.
 */
export class CreateReviewView1766320002000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // 0 to 100; absent in reviews of an earlier release.
    await db.query(`ALTER TABLE review ADD COLUMN risk smallint`);
    await db.query(`
      CREATE TABLE review_view (
        id uuid PRIMARY KEY,
        owner_id text NOT NULL,
        owner_name text NOT NULL,
        name text NOT NULL,
        -- Absent: the owner's alone. 'everybody', or 'group:NAME'.
        shared_with text,
        -- What is listed, in which order, and which columns are shown.
        spec json NOT NULL,
        version int NOT NULL DEFAULT 1,
        created_at bigint NOT NULL,
        updated_at bigint NOT NULL
      )`);
    // No two of one person's have the same name.
    await db.query(`CREATE UNIQUE INDEX review_view_name ON review_view (owner_id, lower(name))`);
    // Serves what others share.
    await db.query(
      `CREATE INDEX review_view_shared ON review_view (shared_with) WHERE shared_with IS NOT NULL`,
    );
    await db.query(`
      CREATE TABLE review_comment (
        id uuid PRIMARY KEY,
        review_id uuid NOT NULL REFERENCES review (id),
        author_id text NOT NULL,
        author_name text NOT NULL,
        -- As it reads now; what it said before is in the timeline.
        text text NOT NULL,
        version int NOT NULL DEFAULT 1,
        created_at bigint NOT NULL,
        edited_at bigint
      )`);
    await db.query(`
      INSERT INTO review_comment (id, review_id, author_id, author_name, text, created_at)
      SELECT gen_random_uuid(), review_id, actor, actor_name, coalesce(data->>'text', ''), at
        FROM review_event WHERE kind = 'commented'`);
    // Serves the search, as src/reviews/sql/search.ts asks.
    await db.query(`CREATE INDEX review_comment_words ON review_comment USING gin (${words('text')})`);
    await db.query(`CREATE INDEX review_comment_review ON review_comment (review_id)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE review_comment`);
    await db.query(`DROP TABLE review_view`);
    await db.query(`ALTER TABLE review DROP COLUMN risk`);
  }
}

const PUNCTUATION = "!\"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~";
// The doubled quote is one character.
const words = (of: string): string =>
  `to_tsvector('simple'::regconfig, translate(${of}, '${PUNCTUATION}', '${' '.repeat(PUNCTUATION.length - 1)}'))`;
