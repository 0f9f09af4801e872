import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { migrate } from '../../src/database/migrate.js';
import { Notices } from '../../src/database/notices.js';
import { chooseAccount } from '../../src/embedded/postgres/account.js';
import { hasOpenssl, makeCertificates, type Certificates } from '../support/certificates.js';
import { testDatabase } from '../support/database.js';
import { EngineOnDatabase } from '../support/engine-on-database.js';
import { OwnServer } from '../support/own-server.js';

describe.skipIf(!hasOpenssl())('a PostgreSQL with TLS', { timeout: 60_000 }, () => {
  let files: Certificates;
  let server: OwnServer;
  beforeAll(async () => {
    files = makeCertificates('DNS:localhost', chooseAccount(tmpdir()));
    server = await OwnServer.start({
      ssl: 'on',
      ssl_cert_file: files.serverCertificate,
      ssl_key_file: files.serverKey,
    });
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    files.remove();
  });

  const url = (query: string, host = 'localhost'): string => {
    const changed = new URL(server.url);
    changed.hostname = host;
    return `${changed.href}?${query}`;
  };

  test('is used encrypted by every connection of ours', async () => {
    const secure = url(`sslmode=verify-full&sslrootcert=${files.ca}`);
    await migrate(secure);
    const node = await EngineOnDatabase.start(secure);
    const orm = await createDataSource(secure);
    await orm.initialize();
    const notices = await Notices.start({ listenUrl: secure, sender: node.database });
    const rows = await server.asAdmin<{ name: string; ssl: boolean }>(
      `SELECT application_name AS name, bool_and(ssl) AS ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
       WHERE application_name LIKE 'sallyport%' GROUP BY 1 ORDER BY 1`,
    );
    await notices.stop();
    await orm.destroy();
    await node.stop();
    expect(rows).toEqual(
      ['sallyport', 'sallyport-engine', 'sallyport-notices', 'sallyport-orm'].map((name) => ({
        name,
        ssl: true,
      })),
    );
  });

  test.each(['sslmode=require', 'sslmode=verify-ca&sslrootcert=CA', 'sslmode=require&sslrootcert=CA'])(
    'is used under another name with %s',
    async (query) => {
      await migrate(url(query.replace('CA', files.ca), '127.0.0.1'));
    },
  );

  test.each([
    [
      'an unknown CA',
      'sslmode=verify-full',
      'localhost',
      /DATABASE_URL: .*CA that is not trusted.*sslrootcert=/,
    ],
    ['the wrong CA', 'sslmode=verify-full&sslrootcert=STRANGER', 'localhost', /CA that is not trusted/],
    [
      'the wrong CA for require',
      'sslmode=require&sslrootcert=STRANGER',
      'localhost',
      /CA that is not trusted/,
    ],
    ['another name', 'sslmode=verify-full&sslrootcert=CA', '127.0.0.1', /another name.*sslmode=verify-ca/],
  ])('is refused for %s, with the remedy', async (_why, query, host, message) => {
    const given = query.replace('STRANGER', files.strangerCa).replace('CA', files.ca);
    await expect(migrate(url(given, host))).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(message) as string,
    });
  });

  test('that has none is refused when it is asked for', async () => {
    const { url: plain } = await testDatabase();
    await expect(migrate(`${plain}?sslmode=require`)).rejects.toThrow(/offers no TLS/);
  });
});
