import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * Workers may stay up: the table holds what is under way and no more, so the indexes are made within milliseconds, and
 * the new one serves the old code's claim as well.
 */
export class OrderInbox1764120000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    // Serves the claim: rows of one commit are due at the same time, and are taken up in their order.
    await db.query(`
      CREATE INDEX workflow_inbox_next ON workflow_inbox (due_at, id)
      WHERE claimed_by IS NULL AND NOT abandoned`);
    await db.query('DROP INDEX workflow_inbox_due');
    // Serves the list of what was given up, normally empty.
    await db.query('CREATE INDEX workflow_inbox_abandoned ON workflow_inbox (id) WHERE abandoned');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX workflow_inbox_abandoned');
    await db.query(
      'CREATE INDEX workflow_inbox_due ON workflow_inbox (due_at) WHERE claimed_by IS NULL AND NOT abandoned',
    );
    await db.query('DROP INDEX workflow_inbox_next');
  }
}
