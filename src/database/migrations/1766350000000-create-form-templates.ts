import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: new tables, and columns that nodes which do not know them leave empty.
export class CreateFormTemplates1766350000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE form_template (
        name text NOT NULL,
        version int NOT NULL CHECK (version > 0),
        -- JSON Schema of what is filled in, and how it is laid out.
        json_schema json NOT NULL,
        template_ui json NOT NULL,
        tags json NOT NULL,
        created_at bigint NOT NULL,
        created_by text NOT NULL,
        updated_at bigint NOT NULL,
        updated_by text NOT NULL,
        PRIMARY KEY (name, version)
      )`);
    // What somebody has before them of a review that waits: which round they were shown, and what they filled in so far.
    await db.query(`
      CREATE TABLE review_draft (
        review_id uuid NOT NULL REFERENCES review (id),
        person_id text NOT NULL,
        digest text,
        shown_at bigint,
        output json,
        saved_at bigint,
        PRIMARY KEY (review_id, person_id)
      )`);
    // By which Conductor's clients know a task; absent in reviews of an earlier release.
    await db.query(`
      ALTER TABLE review
        ADD COLUMN task_ref text,
        ADD COLUMN task_def_name text,
        ADD COLUMN workflow_name text`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      `ALTER TABLE review DROP COLUMN task_ref, DROP COLUMN task_def_name, DROP COLUMN workflow_name`,
    );
    await db.query('DROP TABLE review_draft');
    await db.query('DROP TABLE form_template');
  }
}
