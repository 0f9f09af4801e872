import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Client, type QueryResultRow } from 'pg';
import { chooseAccount, type Account } from '../../src/embedded/postgres/account.js';
import {
  CLEAN_ENVIRONMENT,
  ids,
  prepareBinaries,
  type Binaries,
} from '../../src/embedded/postgres/binaries.js';
import { startServer, stopServer, type Postmaster } from '../../src/embedded/postgres/postmaster.js';

const run = promisify(execFile);

const DEBIAN = '/usr/lib/postgresql';
const USER = 'bench';

/*
 * The same for everybody who is measured, durable as in production, and with memory and log enough that neither is
 * what is measured. All else is PostgreSQL's default.
 */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: '150',
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  log_checkpoints: 'off',
};
const SHOWN = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'wal_level',
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
  'autovacuum',
  'max_connections',
];

/** A PostgreSQL of the bench's own, on loopback, in a folder that goes away with it. */
export class Cluster {
  private constructor(
    readonly server: Postmaster,
    private readonly folder: string,
    private readonly password: string,
  ) {}

  /** Debian's newest PostgreSQL where there is one, else the one that Sallyport embeds. */
  static async start(folder: string): Promise<Cluster> {
    const account = chooseAccount('/nonexistent');
    const binaries = debian() ?? prepareBinaries(account, join(folder, 'programs'));
    const password = randomBytes(12).toString('hex');
    const dataDirectory = await initialise(binaries, account, folder, password);
    const server = await startServer({
      binaries,
      account,
      dataDirectory,
      logFile: join(folder, 'postgres.log'),
      settings: SETTINGS,
      port: undefined,
      timeoutSeconds: 60,
    });
    return new Cluster(server, folder, password);
  }

  url(database: string): string {
    return `postgres://${USER}:${this.password}@127.0.0.1:${this.server.port}/${database}`;
  }

  async create(database: string): Promise<string> {
    await this.query('postgres', `CREATE DATABASE ${database}`);
    return this.url(database);
  }

  async drop(database: string): Promise<void> {
    await this.query('postgres', `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  }

  /** One statement on a connection of its own. */
  async query<Row extends QueryResultRow>(database: string, text: string): Promise<Row[]> {
    const client = new Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  async settings(): Promise<string> {
    const rows = await this.query<{ name: string; value: string }>(
      'postgres',
      `SELECT name, current_setting(name) AS value FROM unnest(ARRAY['${SHOWN.join("','")}']) name`,
    );
    return rows.map(({ name, value }) => `${name}=${value}`).join(' ');
  }

  /** Where PostgreSQL's own tools find it. */
  get environment(): Record<string, string> {
    return {
      ...CLEAN_ENVIRONMENT,
      PGHOST: '127.0.0.1',
      PGPORT: String(this.server.port),
      PGUSER: USER,
      PGPASSWORD: this.password,
    };
  }

  async stop(): Promise<void> {
    await stopServer(this.server, 20);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function initialise(
  binaries: Binaries,
  account: Account,
  folder: string,
  password: string,
): Promise<string> {
  // Open to pass through: as root, PostgreSQL runs under another account.
  chmodSync(folder, 0o711);
  const cluster = join(folder, 'cluster');
  mkdirSync(cluster, { mode: 0o700 });
  const passwordFile = join(cluster, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account.uid !== undefined && account.gid !== undefined) {
    for (const path of [cluster, passwordFile]) chownSync(path, account.uid, account.gid);
  }
  const dataDirectory = join(cluster, 'data');
  await run(
    binaries.initdb,
    [
      ['-D', dataDirectory, '-U', USER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
      ['--encoding=UTF8', '--no-locale', '--no-instructions'],
    ].flat(),
    { ...ids(account), cwd: '/', env: CLEAN_ENVIRONMENT, timeout: 120_000 },
  );
  return dataDirectory;
}

function debian(): Binaries | undefined {
  for (const version of installed()) {
    const bin = join(DEBIAN, version, 'bin');
    const [initdb, postgres] = [join(bin, 'initdb'), join(bin, 'postgres')];
    if (Number(version) >= 15 && existsSync(initdb) && existsSync(postgres))
      return { initdb, postgres, version };
  }
  return undefined;
}

/** Major versions, the newest first. */
const installed = (): string[] =>
  existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];

/** Path of PostgreSQL's own load generator; throws with what to install where it is missing. */
export function findPgbench(): string {
  const folders = [
    ...installed().map((version) => join(DEBIAN, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  const found = folders.map((folder) => join(folder, 'pgbench')).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    'pgbench is missing, and without the yardstick there is no result. On Debian: apt-get install postgresql',
  );
}
