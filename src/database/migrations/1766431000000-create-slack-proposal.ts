import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: a column that an earlier release leaves null and does not read, and a table that it does not know.
export class CreateSlackProposal1766431000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Whom a proposal is for: nobody else may follow its link. Null for a link that somebody asked for by clicking.
    await db.query(`ALTER TABLE slack_link_request ADD COLUMN person_id text`);
    // What came of the last attempt to propose an account to a person.
    await db.query(`
      CREATE TABLE slack_proposal (
        person_id text PRIMARY KEY,
        team_id text NOT NULL,
        state text NOT NULL CHECK (state IN ('sending', 'proposed', 'no_address', 'not_found', 'refused', 'failed')),
        user_id text,
        user_name text,
        -- A sentence for people, where it is more than the state.
        detail text,
        proposed_by text NOT NULL,
        proposed_at bigint NOT NULL,
        -- Until when the link in the message works.
        expires_at bigint
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE slack_proposal`);
    await db.query(`ALTER TABLE slack_link_request DROP COLUMN person_id`);
  }
}
