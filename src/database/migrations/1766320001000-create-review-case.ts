import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * Open reviews about the same thing, which are decided together. Workers may stay up: the version before knows neither
 * table; reviews that it opens belong to no case.
 */
export class CreateReviewCase1766320001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE review_case (
        id uuid PRIMARY KEY,
        queue text NOT NULL,
        -- Of the first that belongs to it.
        title text NOT NULL,
        opened_at bigint NOT NULL,
        -- How many ever joined.
        size int NOT NULL,
        -- The first decision that was made on the case: from then on nothing joins.
        decided_at bigint,
        decided_by text,
        decided_by_name text,
        outcome text,
        decision_reason text,
        CHECK ((decided_at IS NULL) = (outcome IS NULL))
      )`);
    // Serves the list.
    await db.query(`CREATE INDEX review_case_list ON review_case (opened_at DESC, id DESC)`);
    // By what a review is like others, and the case that it belongs to.
    await db.query(`
      CREATE TABLE review_kin (
        review_id uuid PRIMARY KEY REFERENCES review (id),
        -- SHA-256 of who asks what, and under which rules.
        question text NOT NULL,
        -- SHA-256 of what was found; absent where nothing was.
        findings text,
        -- The same of the bytes.
        bytes text,
        -- False from its end on; the review itself says whether it can be decided.
        waits boolean NOT NULL DEFAULT true,
        case_id uuid REFERENCES review_case (id),
        joined_at bigint,
        -- Somebody took it out of its case: it joins none any more.
        detached_at bigint,
        detached_by text,
        detached_by_name text
      )`);
    // Serve the look for others about the same.
    const alone = 'WHERE waits AND detached_at IS NULL';
    await db.query(`CREATE INDEX review_kin_findings ON review_kin (findings, question) ${alone}`);
    await db.query(`CREATE INDEX review_kin_bytes ON review_kin (bytes, question) ${alone}`);
    // Serves the members of a case.
    await db.query(`CREATE INDEX review_kin_case ON review_kin (case_id) WHERE case_id IS NOT NULL`);
    // Serves the list of cases in which something waits.
    await db.query(
      `CREATE INDEX review_kin_waiting ON review_kin (case_id) WHERE case_id IS NOT NULL AND waits`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE review_kin`);
    await db.query(`DROP TABLE review_case`);
  }
}
