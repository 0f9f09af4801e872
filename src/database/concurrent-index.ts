import type { QueryRunner } from 'typeorm';

/**
 * Makes an index while everybody goes on writing; for migrations that say `readonly transaction = false`, because
 * PostgreSQL does this outside of transactions only.
 *
 * Such a migration is not undone when it is cut short, so it must be repeatable: an unfinished index of an earlier try
 * is removed first. Put one index in a migration, and nothing else.
 *
 * @param definition what follows the name, as in `ON task (workflow_id) WHERE …`.
 */
export async function createIndexConcurrently(
  db: QueryRunner,
  name: string,
  definition: string,
): Promise<void> {
  const [found] = (await db.query(
    `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)`,
    [name],
  )) as { valid: boolean }[];
  if (found?.valid === true) return;
  if (found !== undefined) await db.query(`DROP INDEX CONCURRENTLY ${name}`);
  await db.query(`CREATE INDEX CONCURRENTLY ${name} ${definition}`);
}
