import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Directory } from '../../src/access/directory.js';
import { Database } from '../../src/database/database.js';
import { testDatabase, type TestDatabase } from '../support/database.js';

describe('the directory', () => {
  let own: TestDatabase;
  let db: Database;
  let directory: Directory;
  const [anna, ben, idle] = [randomUUID(), randomUUID(), randomUUID()];

  beforeAll(async () => {
    own = await testDatabase();
    db = new Database(own.url, { maxConnections: 2 });
    directory = new Directory(db);
  });
  afterAll(() => db.close());

  beforeEach(async () => {
    await own.truncate();
    await db.query(
      `INSERT INTO app_user (id, name, display_name, email, password_hash, roles, disabled, created_at) VALUES
       ($1, 'anna', 'Anna B.', 'anna@example.com', '', '{analyst}', false, 0),
       ($2, 'ben', NULL, NULL, '', '{}', true, 0)`,
      [anna, ben],
    );
    await db.query(
      `INSERT INTO access_group (id, name, roles, created_at, created_by) VALUES
       ($1, 'Night shift', '{auditor,analyst,of-another-version}', 0, 'x'), ($2, 'empty', '{admin}', 0, 'x')`,
      [idle, randomUUID()],
    );
    await db.query('INSERT INTO access_group_member VALUES ($1, $2), ($1, $3)', [idle, anna, ben]);
    await db.query(
      `INSERT INTO access_grant (id, holder_kind, holder_id, role, scope, created_at, created_by) VALUES
       ($1, 'user', $3, 'approver', 'releases', 0, 'x'), ($2, 'group', $4, 'approver', 'night', 0, 'x')`,
      [randomUUID(), randomUUID(), anna, idle],
    );
  });

  it('tells everybody with their own roles and their groups, each once', async () => {
    expect(await directory.people()).toEqual([
      {
        id: anna,
        login: 'anna',
        name: 'Anna B.',
        email: 'anna@example.com',
        roles: ['analyst', 'auditor'],
        groups: ['Night shift'],
        approves: ['night', 'releases'],
        disabled: false,
      },
      {
        id: ben,
        login: 'ben',
        name: 'ben',
        roles: ['analyst', 'auditor'],
        groups: ['Night shift'],
        approves: ['night'],
        disabled: true,
      },
    ]);
  });

  it('knows a person by the id, and nobody by anything else', async () => {
    expect(await directory.person(anna)).toMatchObject({ name: 'Anna B.' });
    for (const id of [randomUUID(), 'key-1', 'mail:x@example.com', '', 'a\u0000b', '\ud800'])
      expect(await directory.person(id)).toBeUndefined();
  });

  it('tells groups with their members, and those that have none', async () => {
    expect(await directory.groups()).toEqual([
      { id: expect.any(String) as string, name: 'empty', members: [] },
      { id: idle, name: 'Night shift', members: [anna, ben].sort() },
    ]);
  });
});
