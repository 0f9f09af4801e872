import type { MigrationInterface, QueryRunner } from 'typeorm';

// Workers may stay up: new tables, which nodes that do not know them leave alone.
export class CreateWorkingCalendars1766350001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE working_calendar (
        name text PRIMARY KEY,
        -- Counts its changes: what was computed with an older one is computed anew.
        version int NOT NULL,
        time_zone text NOT NULL,
        -- Of each weekday, as {"mon": ["09:00-17:00"]}.
        hours json NOT NULL,
        -- Dates on which nobody works.
        holidays text[] NOT NULL,
        updated_at bigint NOT NULL,
        updated_by text NOT NULL
      )`);
    // A group has one at most.
    await db.query(`
      CREATE TABLE working_calendar_group (
        group_id uuid PRIMARY KEY REFERENCES access_group (id) ON DELETE CASCADE,
        calendar text NOT NULL REFERENCES working_calendar (name)
      )`);
    await db.query(`CREATE INDEX working_calendar_group_calendar ON working_calendar_group (calendar)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE working_calendar_group');
    await db.query('DROP TABLE working_calendar');
  }
}
