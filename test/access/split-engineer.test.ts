import type { QueryRunner } from 'typeorm';
import { expect, it } from 'vitest';
import { knownRoles } from '../../src/access/principal.js';
import { SplitEngineer1766100001000 } from '../../src/database/migrations/1766100001000-split-engineer.js';
import { testDatabase } from '../support/database.js';

it('an engineer of the version before is author and operator, and no one else is anything new', async () => {
  const db = await testDatabase();
  await db.query(
    `INSERT INTO app_user (id, name, password_hash, roles, created_at) VALUES
     (gen_random_uuid(), 'erin', '', '{engineer,analyst}', 0), (gen_random_uuid(), 'anna', '', '{analyst}', 0)`,
  );
  await db.query(
    `INSERT INTO api_key (id, name, secret_sha256, roles, created_at) VALUES
     ('a', 'a', '', '{engineer}', 0), ('b', 'b', '', '{worker}', 0)`,
  );
  const roles = async () => {
    const rows = await db.query<{ name: string; roles: string[] }>(
      'SELECT name, roles FROM app_user UNION ALL SELECT name, roles FROM api_key',
    );
    return Object.fromEntries(rows.map((row) => [row.name, row.roles]));
  };
  const before = await roles();
  const migration = new SplitEngineer1766100001000();
  const runner = { query: (text: string) => db.query(text) } as unknown as QueryRunner;
  await migration.up(runner);
  const after = await roles();
  expect(Object.fromEntries(Object.entries(after).map(([name, held]) => [name, knownRoles(held)]))).toEqual({
    erin: ['author', 'operator', 'analyst'],
    anna: ['analyst'],
    a: ['author', 'operator'],
    b: ['worker'],
  });
  // A node of the version before, which serves beside this one for a while, still knows them.
  expect(after['erin']).toContain('engineer');
  await migration.down(runner);
  expect(await roles()).toEqual(before);
});
