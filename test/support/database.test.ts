import { describe, expect, test } from 'vitest';
import { anotherDatabase, testDatabase } from './database.js';

describe('the database of a test file', () => {
  test('is migrated and stays the same one through the file', async () => {
    const database = await testDatabase();
    expect(await testDatabase()).toBe(database);
    const tables = await database.query("SELECT 1 FROM pg_tables WHERE tablename = 'schema_migration'");
    expect(tables).toHaveLength(1);
  });

  test('can be had a second time under another name', async () => {
    const [one, two] = [await testDatabase(), await anotherDatabase('second')];
    await one.query('CREATE TABLE only_here (n int)');
    await expect(two.query('SELECT * FROM only_here')).rejects.toThrow('does not exist');
  });

  test('is emptied by truncate, also where a trigger forbids it', async () => {
    const database = await anotherDatabase('truncated');
    await database.query('CREATE TABLE entry (id bigint GENERATED ALWAYS AS IDENTITY, note text)');
    await database.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'append only'; END $$`,
    );
    await database.query(
      'CREATE TRIGGER keep BEFORE TRUNCATE OR DELETE ON entry FOR EACH STATEMENT EXECUTE FUNCTION refuse()',
    );
    await database.query("INSERT INTO entry (note) VALUES ('a'), ('b')");
    await database.truncate();
    expect(await database.query("INSERT INTO entry (note) VALUES ('c') RETURNING id, note")).toEqual([
      { id: '1', note: 'c' },
    ]);
  });
});
