import type { MigrationInterface, QueryRunner } from 'typeorm';

/*
 * Workers may stay up: `engineer` stays beside what it was split into, for nodes of the version before, which know only
 * that. This version reads past it, and whoever changes roles takes it away.
 */
export class SplitEngineer1766100001000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    for (const table of ['app_user', 'api_key'])
      await db.query(
        `UPDATE ${table} SET roles = roles || '{author,operator}' WHERE 'engineer' = ANY (roles)`,
      );
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['app_user', 'api_key'])
      await db.query(
        `UPDATE ${table} SET roles = array_remove(array_remove(roles, 'author'), 'operator')
         WHERE 'engineer' = ANY (roles)`,
      );
  }
}
