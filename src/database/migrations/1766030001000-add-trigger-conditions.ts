import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: only new columns, which older ones neither read nor write.
export class AddTriggerConditions1766030001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    /*
     * `enabled` is what older versions go by, and they know nothing of the conditions below: a denying rule that has
     * any is hidden from them, or they would take its other conditions for all of it and scan too little.
     * `active` is what counts; where it is NULL nobody has written it yet, and `enabled` does.
     */
    await db.query(`
      ALTER TABLE trigger_rule
        ADD COLUMN description text,
        ADD COLUMN active boolean,
        ADD COLUMN content_types text[],
        ADD COLUMN tags json,
        ADD COLUMN trust_tags boolean NOT NULL DEFAULT false,
        ADD COLUMN workflow_version int,
        ADD COLUMN shares json,
        ADD COLUMN input json,
        -- shipped, api, file: who keeps it.
        ADD COLUMN origin text NOT NULL DEFAULT 'shipped',
        ADD COLUMN version int NOT NULL DEFAULT 1,
        ADD COLUMN updated_at bigint NOT NULL DEFAULT 0,
        ADD COLUMN updated_by text NOT NULL DEFAULT 'system:migration'`);
    await db.query(`
      ALTER TABLE backlog_item
        -- NULL: the newest when it starts.
        ADD COLUMN workflow_version int,
        -- Set while the rules cannot decide without asking the object: when to ask. What the item says meanwhile is
        -- what they decide in doubt, and not_before is when that is done without an answer.
        ADD COLUMN decide_at bigint,
        ADD COLUMN upload json`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      `ALTER TABLE backlog_item DROP COLUMN workflow_version, DROP COLUMN decide_at, DROP COLUMN upload`,
    );
    await db.query(`
      ALTER TABLE trigger_rule DROP COLUMN description, DROP COLUMN active, DROP COLUMN content_types,
        DROP COLUMN tags, DROP COLUMN trust_tags, DROP COLUMN workflow_version, DROP COLUMN shares,
        DROP COLUMN input, DROP COLUMN origin, DROP COLUMN version, DROP COLUMN updated_at, DROP COLUMN updated_by`);
  }
}
