import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * Who is asked, how many must agree, and what the clock does. Workers may stay up: the new columns have defaults under
 * which a review is what it was before, one question that any reviewer answers alone.
 */
export class ExtendReview1766200000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE review
        ADD COLUMN queue text NOT NULL DEFAULT 'default',
        -- As its definition says: parties, quorum, four eyes, times. Absent in reviews of an earlier release.
        ADD COLUMN policy json,
        ADD COLUMN round int NOT NULL DEFAULT 1,
        ADD COLUMN escalated int NOT NULL DEFAULT 0,
        -- Who must not decide: [{id, name, because}].
        ADD COLUMN excluded json NOT NULL DEFAULT '[]',
        ADD COLUMN owner_id text,
        ADD COLUMN owner_name text,
        ADD COLUMN due_at bigint,
        ADD COLUMN hold json,
        ADD COLUMN info json,
        -- Whom it asks by now, as user:ID and group:NAME; empty: everybody who may decide.
        ADD COLUMN asks text[] NOT NULL DEFAULT '{}',
        -- Serves "the last one about this object".
        ADD COLUMN object_id text`);
    await db.query(`
      ALTER TABLE review_vote
        ADD COLUMN person_name text,
        ADD COLUMN on_behalf_of text,
        ADD COLUMN on_behalf_of_name text,
        ADD COLUMN groups text[] NOT NULL DEFAULT '{}',
        ADD COLUMN is_override boolean NOT NULL DEFAULT false,
        ADD COLUMN form json,
        ADD COLUMN withdrawn_at bigint`);
    await db.query(`
      CREATE TABLE review_timer (
        review_id uuid NOT NULL REFERENCES review (id),
        kind text NOT NULL CHECK (kind IN ('remind', 'escalate', 'expire', 'claim_timeout', 'wake')),
        step bigint NOT NULL,
        loop int NOT NULL,
        fire_at bigint NOT NULL,
        fired_at bigint,
        PRIMARY KEY (review_id, kind, step, loop)
      )`);
    // Serves the look for what is due.
    await db.query(`CREATE INDEX review_timer_due ON review_timer (fire_at) WHERE fired_at IS NULL`);
    await db.query(`
      CREATE TABLE review_absence (
        id uuid PRIMARY KEY,
        person_id text NOT NULL,
        person_name text NOT NULL,
        from_at bigint NOT NULL,
        to_at bigint NOT NULL CHECK (to_at > from_at),
        substitute_id text CHECK (substitute_id <> person_id),
        substitute_name text,
        note text NOT NULL,
        created_at bigint NOT NULL
      )`);
    await db.query(`CREATE INDEX review_absence_time ON review_absence (to_at, from_at)`);
    // Whose turn it was last, by those among whom turns are taken.
    await db.query(`
      CREATE TABLE review_turn (
        among text PRIMARY KEY,
        person_id text NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['review_turn', 'review_absence', 'review_timer'])
      await db.query(`DROP TABLE ${table}`);
    await db.query(`
      ALTER TABLE review_vote DROP COLUMN person_name, DROP COLUMN on_behalf_of, DROP COLUMN on_behalf_of_name,
        DROP COLUMN groups, DROP COLUMN is_override, DROP COLUMN form, DROP COLUMN withdrawn_at`);
    await db.query(`
      ALTER TABLE review DROP COLUMN queue, DROP COLUMN policy, DROP COLUMN round, DROP COLUMN escalated,
        DROP COLUMN excluded, DROP COLUMN owner_id, DROP COLUMN owner_name, DROP COLUMN due_at, DROP COLUMN hold,
        DROP COLUMN info, DROP COLUMN asks, DROP COLUMN object_id`);
  }
}
