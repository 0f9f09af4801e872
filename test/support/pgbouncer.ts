import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { chooseAccount } from '../../src/embedded/postgres/account.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

const PROGRAMS = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer'];

const program = (): string | undefined =>
  PROGRAMS.find((path) => spawnSync(path, ['--version'], { timeout: 10_000 }).status === 0);

/** Whether these tests can run here. A run of CI installs the program, so there a missing one is a failure. */
export const hasPgBouncer = (): boolean => program() !== undefined || process.env['CI'] === 'true';

/** A PgBouncer in transaction mode between a test and its PostgreSQL. */
export class PgBouncer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
    readonly port: number,
    /** As who may look at its own tables (SHOW POOLS). */
    private readonly user: string,
  ) {}

  /** In front of the server of these URLs, which say who may come; with so few connections of its own per user. */
  static async inFrontOf(
    urls: readonly string[],
    settings: Readonly<Record<string, string | number>> = {},
  ): Promise<PgBouncer> {
    const path = program();
    if (path === undefined) throw new Error('pgbouncer is not installed: apt-get install pgbouncer');
    const account = chooseAccount(tmpdir());
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-pgbouncer-'));
    chmodSync(directory, 0o700);
    const port = await freePort();
    const parsed = urls.map((url) => new URL(url));
    const [first] = parsed;
    if (first === undefined) throw new Error('in front of what?');
    const users = parsed.map(
      (url) => `"${decodeURIComponent(url.username)}" "${decodeURIComponent(url.password)}"`,
    );
    const file = join(directory, 'pgbouncer.ini');
    const options = {
      listen_addr: '127.0.0.1',
      listen_port: port,
      unix_socket_dir: '',
      auth_type: 'trust',
      auth_file: join(directory, 'users.txt'),
      pool_mode: 'transaction',
      default_pool_size: 4,
      max_client_conn: 200,
      stats_users: decodeURIComponent(first.username),
      ...settings,
    };
    writeFileSync(join(directory, 'users.txt'), users.join('\n'));
    writeFileSync(
      file,
      [
        '[databases]',
        `* = host=${first.hostname} port=${first.port}`,
        '[pgbouncer]',
        ...Object.entries(options).map(([name, value]) => `${name} = ${value}`),
      ].join('\n'),
    );
    for (const one of [directory, file, join(directory, 'users.txt')]) {
      if (account.uid !== undefined && account.gid !== undefined) chownSync(one, account.uid, account.gid);
    }
    const child = spawn(path, [file], {
      stdio: 'ignore',
      ...(account.uid === undefined ? {} : { uid: account.uid }),
      ...(account.gid === undefined ? {} : { gid: account.gid }),
    });
    const bouncer = new PgBouncer(child, directory, port, decodeURIComponent(first.username));
    await eventually(() => bouncer.show('VERSION'), { what: 'PgBouncer' });
    return bouncer;
  }

  /** The same URL, through PgBouncer. */
  through(url: string): string {
    const changed = new URL(url);
    changed.hostname = '127.0.0.1';
    changed.port = String(this.port);
    return changed.href;
  }

  /** One of PgBouncer's own tables. */
  async show(what: 'VERSION' | 'POOLS' | 'SERVERS'): Promise<Record<string, unknown>[]> {
    const client = new Client({ host: '127.0.0.1', port: this.port, user: this.user, database: 'pgbouncer' });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(`SHOW ${what}`)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
