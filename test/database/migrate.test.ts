import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendAudit } from '../../src/audit/audit.js';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { testDatabase } from '../support/database.js';

describe('a service whose role may not create tables', () => {
  const role = `sallyport_service_${randomBytes(4).toString('hex')}`;
  let admin: Database;
  let service: Database;

  beforeAll(async () => {
    const own = await testDatabase();
    admin = new Database(own.adminUrl, { maxConnections: 2 });
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
    const url = new URL(own.url);
    url.username = role;
    url.password = role;
    await migrate(own.adminUrl, url.href);
    service = new Database(url.href, { maxConnections: 2 });
  });
  afterAll(async () => {
    await service.close();
    await admin.query(`DROP OWNED BY ${role}`);
    await admin.query(`DROP ROLE ${role}`);
    await admin.close();
  });

  it('reads and writes every table after the migration', async () => {
    const tables = await admin.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
    );
    expect(tables.length).toBeGreaterThan(20);
    for (const { name } of tables) await service.query(`SELECT 1 FROM "${name}" LIMIT 1`);
    await service.query(
      `INSERT INTO api_key (id, name, secret_sha256, roles, created_at) VALUES ('k', 'k', '', '{}', 0)`,
    );
    await service.query(`UPDATE api_key SET disabled = true WHERE id = 'k'`);
    await service.query(`DELETE FROM api_key WHERE id = 'k'`);
  });

  it('appends to the audit record and can change or remove nothing of it', async () => {
    const event = { at: 1, actor: 'system:test', action: 'test.done', subject: 'test:1', data: {} };
    await appendAudit(service, [event]);
    for (const statement of [
      `UPDATE audit_event SET actor = 'x'`,
      'DELETE FROM audit_event',
      'TRUNCATE audit_event',
      `UPDATE verdict SET verdict = 'clean'`,
      'DELETE FROM verdict',
    ]) {
      await expect(service.query(statement)).rejects.toThrow(/permission denied/);
    }
  });
});
