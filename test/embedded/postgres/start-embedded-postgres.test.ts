import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { canEnter } from '../../../src/embedded/postgres/account.js';
import { isRunning } from '../../../src/embedded/postgres/process-identity.js';
import { startEmbeddedPostgres } from '../../../src/embedded/postgres/start-embedded-postgres.js';
import { ask, isRoot, kill, place, started, startElsewhere } from './places.js';

const NOBODY = { uid: 65_534, gid: 65_534 };
const canBeNobody = isRoot && canEnter(NOBODY, process.cwd());

describe('the first start', () => {
  test('makes a database that the service owns without being able to do more', async () => {
    const postgres = await started({ directory: place(), isDurable: true });
    const [facts] = await ask<Record<string, unknown>>(
      postgres.url,
      `SELECT current_user AS who, current_database() AS database, rolsuper AS super, rolcreaterole AS makes_roles
         FROM pg_roles WHERE rolname = current_user`,
    );
    expect(facts).toEqual({ who: 'sallyport', database: 'sallyport', super: false, makes_roles: false });
    await ask(postgres.url, 'CREATE TABLE mine (n int)');
    await expect(ask(postgres.url, "COPY mine FROM PROGRAM 'echo 1'")).rejects.toThrow('permission denied');
  });

  test('is durable, sorts the same on every machine and listens on loopback only', async () => {
    const postgres = await started({ directory: place(), isDurable: true });
    const rows = await ask<{ name: string; setting: string }>(
      postgres.adminUrl,
      `SELECT name, setting FROM pg_settings WHERE name IN
        ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'unix_socket_directories', 'server_encoding')`,
    );
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      server_encoding: 'UTF8',
    });
    const [locale] = await ask(
      postgres.url,
      'SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()',
    );
    expect(locale).toEqual({ datlocprovider: 'b', datlocale: 'C.UTF-8' });
  });

  test('keeps its passwords in a file that nobody else can read, and asks for them', async () => {
    const directory = place();
    const postgres = await started({ directory });
    expect(statSync(join(directory, 'credentials.json')).mode & 0o777).toBe(0o600);
    const password = new URL(postgres.url).password;
    expect(password.length).toBeGreaterThan(30);
    await expect(ask(postgres.url.replace(password, 'guess'), 'SELECT 1')).rejects.toThrow(
      'password authentication',
    );
    expect(readFileSync(join(directory, 'postgres.log'), 'utf8')).not.toContain(password);
  });

  test('works in a path with spaces, quotes and letters beyond ASCII', async () => {
    const postgres = await started({ directory: place("My Documents/it's für später".replace('/', ' ')) });
    expect(await ask(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('that was cut short before is begun anew', async () => {
    const directory = place();
    const first = await started({ directory });
    await first.stop();
    rmSync(join(first.dataDirectory, 'PG_VERSION'));
    rmSync(first.dataDirectory, { recursive: true });
    const second = await started({ directory });
    expect(await ask(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('a later start', () => {
  test('finds the data of the one before', async () => {
    const directory = place();
    const first = await started({ directory });
    await ask(first.url, "CREATE TABLE kept (note text); INSERT INTO kept VALUES ('still here')");
    await first.stop();
    expect(isRunning(first.pid)).toBe(false);
    expect(existsSync(join(directory, 'lock.json'))).toBe(false);
    const second = await started({ directory });
    expect(await ask(second.url, 'SELECT note FROM kept')).toEqual([{ note: 'still here' }]);
    expect(second.isAdopted).toBe(false);
  });

  test('on a folder in use is refused with a sentence', async () => {
    const directory = place();
    await started({ directory });
    await expect(startEmbeddedPostgres({ directory })).rejects.toThrow(
      /already runs on .* Stop that one first, or give this one a folder of its own with SALLYPORT_HOME/,
    );
  });

  test('on a folder in use by another process is refused too', async () => {
    const directory = place();
    await started({ directory });
    const { answer } = await startElsewhere(directory);
    expect(answer.error).toContain(`already runs on ${directory}`);
  });

  test('takes over the server whose service was killed', async () => {
    const directory = place();
    const { process: service, answer } = await startElsewhere(directory);
    await ask(answer.url, 'CREATE TABLE kept AS SELECT 7 AS n');
    await kill(service);
    expect(isRunning(answer.pid)).toBe(true);
    const postgres = await started({ directory });
    expect(postgres).toMatchObject({ pid: answer.pid, isAdopted: true, url: answer.url });
    expect(await ask(postgres.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
    await postgres.stop();
    expect(isRunning(answer.pid)).toBe(false);
  });

  test('replays the log when service and server were both killed', async () => {
    const directory = place();
    const { process: service, answer } = await startElsewhere(directory);
    await ask(answer.url, 'CREATE TABLE kept AS SELECT 7 AS n');
    await kill(service);
    process.kill(answer.pid, 'SIGKILL');
    const postgres = await started({ directory });
    expect(postgres.isAdopted).toBe(false);
    expect(await ask(postgres.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });
});

describe('a start that cannot succeed says why', () => {
  test('when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(startEmbeddedPostgres({ directory: place(), port, isDurable: false })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken by another program.`,
    );
  });

  test('when the data is of another version', async () => {
    const directory = place();
    const postgres = await started({ directory });
    await postgres.stop();
    writeFileSync(join(postgres.dataDirectory, 'PG_VERSION'), '17\n');
    await expect(startEmbeddedPostgres({ directory })).rejects.toThrow(
      /was written by PostgreSQL 17, and this Sallyport brings PostgreSQL 18/,
    );
  });

  test('when the data is damaged', async () => {
    const directory = place();
    const postgres = await started({ directory });
    await postgres.stop();
    truncateSync(join(postgres.dataDirectory, 'global', 'pg_control'), 100);
    await expect(startEmbeddedPostgres({ directory })).rejects.toThrow(
      /is damaged: .* Restore it from a backup/,
    );
  });

  test('when a pid file names a process that may be a PostgreSQL, which then stays as it is', async () => {
    const directory = place();
    const postgres = await started({ directory });
    await postgres.stop();
    const pidFile = join(postgres.dataDirectory, 'postmaster.pid');
    writeFileSync(
      pidFile,
      `${process.pid}\n${postgres.dataDirectory}\n0\n${postgres.port}\n\n127.0.0.1\n\nready   \n`,
    );
    await expect(startEmbeddedPostgres({ directory })).rejects.toThrow(/does not answer on port \d+/);
    expect(readFileSync(pidFile, 'utf8')).toContain(String(process.pid));
  });
});

test('a pid file whose number went to another program is cleared when that is proven', async () => {
  const directory = place();
  const postgres = await started({ directory });
  const record = JSON.parse(readFileSync(join(directory, 'postmaster.json'), 'utf8'));
  await postgres.stop();
  writeFileSync(
    join(postgres.dataDirectory, 'postmaster.pid'),
    `${process.pid}\n${postgres.dataDirectory}\n0\n${postgres.port}\n`,
  );
  writeFileSync(join(directory, 'postmaster.json'), JSON.stringify({ ...record, pid: process.pid }));
  const again = await started({ directory });
  expect(await ask(again.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test.each(['SIGQUIT', 'SIGKILL'] as const)(
  'a server that ends by itself (%s) is reported and started again at the same address',
  async (signal) => {
    const onUnexpectedExit = vi.fn<() => void>();
    const sentences: string[] = [];
    const postgres = await started({
      directory: place(),
      isDurable: true,
      onUnexpectedExit,
      log: (sentence) => sentences.push(sentence),
    });
    const { pid } = postgres;
    await ask(postgres.url, 'CREATE TABLE kept AS SELECT 7 AS n');
    process.kill(pid, signal);
    // Until it has ended, the one that was told to may still answer.
    await vi.waitFor(() => expect(onUnexpectedExit).toHaveBeenCalledOnce(), { timeout: 15_000 });
    await vi.waitFor(async () => expect(await ask(postgres.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]), {
      timeout: 15_000,
    });
    expect(postgres.pid).not.toBe(pid);
    await vi.waitFor(() => expect(sentences.at(-1)).toContain(`process ${postgres.pid}`));
    expect(onUnexpectedExit).toHaveBeenCalledOnce();
    await postgres.stop();
    expect(isRunning(postgres.pid)).toBe(false);
  },
);

test('a server that cannot be started again is given up with the reason', async () => {
  const onLost = vi.fn<(reason: string) => void>();
  const postgres = await started({ directory: place(), onLost });
  const control = join(postgres.dataDirectory, 'global', 'pg_control');
  truncateSync(control, 100);
  process.kill(postgres.pid, 'SIGKILL');
  await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce(), { timeout: 30_000 });
  expect(onLost.mock.calls[0]?.[0]).toMatch(/is damaged: .* Restore it from a backup/);
  await postgres.stop();
}, 40_000);

test('a server that is being started again can be stopped', async () => {
  const onUnexpectedExit = vi.fn<() => void>();
  const postgres = await started({ directory: place(), onUnexpectedExit });
  process.kill(postgres.pid, 'SIGKILL');
  await vi.waitFor(() => expect(onUnexpectedExit).toHaveBeenCalledOnce(), { timeout: 5_000 });
  await postgres.stop();
  expect(isRunning(postgres.pid)).toBe(false);
});

test('stopping twice is the same as stopping once, and does not count as unexpected', async () => {
  const onUnexpectedExit = vi.fn<() => void>();
  const postgres = await started({ directory: place(), onUnexpectedExit });
  await Promise.all([postgres.stop(), postgres.stop()]);
  expect(onUnexpectedExit).not.toHaveBeenCalled();
});

test('a client that is busy does not hold up the stop', async () => {
  const postgres = await started({ directory: place() });
  const busy = ask(postgres.url, 'SELECT pg_sleep(60)').catch((error: Error) => error.message);
  await vi.waitFor(async () => {
    const rows = await ask(
      postgres.adminUrl,
      "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)'",
    );
    expect(rows).toHaveLength(1);
  });
  const before = performance.now();
  await postgres.stop();
  expect(performance.now() - before).toBeLessThan(5_000);
  expect(await busy).toMatch(/terminat/);
});

describe.skipIf(!isRoot)('as root (skipped: the tests run as an ordinary user)', () => {
  test('the server runs under an unprivileged account', async () => {
    const postgres = await started({ directory: place() });
    expect(statSync(`/proc/${postgres.pid}`).uid).not.toBe(0);
  });

  test('a home that the account cannot enter sends the data to the system directory, and later starts find it', async () => {
    const systemDirectory = place('system');
    // As /root is: closed to everybody but its owner.
    const above = join(place(), 'closed');
    mkdirSync(above, { mode: 0o700 });
    const directory = join(above, 'home');
    const options = { directory, systemDirectory };
    const sentences: string[] = [];
    const first = await started({ ...options, log: (sentence) => sentences.push(sentence) });
    expect(first.dataDirectory.startsWith(systemDirectory)).toBe(true);
    expect(sentences.join('\n')).toContain(`cannot enter ${directory}`);
    await ask(first.url, 'CREATE TABLE kept AS SELECT 7 AS n');
    await first.stop();
    const second = await started(options);
    expect(await ask(second.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });
});

describe.skipIf(!canBeNobody)(
  'as another user (skipped: needs root and a checkout that everybody may read)',
  () => {
    test('an ordinary user starts, and keeps data from the others', async () => {
      const directory = place();
      chownSync(directory, NOBODY.uid, NOBODY.gid);
      const { answer } = await startElsewhere(directory, NOBODY);
      expect(answer.error).toBeUndefined();
      expect(await ask(answer.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(statSync(join(directory, 'cluster', 'data')).mode & 0o077).toBe(0);
      expect(statSync(`/proc/${answer.pid}`).uid).toBe(NOBODY.uid);
    });

    test('an ordinary user is told when the data belongs to somebody else', async () => {
      const directory = place();
      const postgres = await started({ directory });
      await postgres.stop();
      const { answer } = await startElsewhere(directory, NOBODY);
      expect(answer.error).toMatch(/cannot write .* Point SALLYPORT_HOME at a folder that it can write/);
    });
  },
);
