import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../src/embedded/postgres/start-embedded-postgres.js';
import { eventually } from './eventually.js';

type Settings = Readonly<Record<string, string>>;

/**
 * A PostgreSQL of one test file's own, for what no shared one can be put through: restarts, failover, a full disk,
 * settings of the whole server.
 */
export class OwnServer {
  private constructor(
    private readonly directory: string,
    private readonly postgres: EmbeddedPostgres,
  ) {}

  /** Starts it; `stop` belongs into the file's `afterAll`. */
  static async start(settings: Settings = {}): Promise<OwnServer> {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-own-postgres-'));
    // Open to pass through: as root, PostgreSQL runs under another account.
    chmodSync(directory, 0o711);
    return new OwnServer(directory, await launch(directory, settings));
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.postgres.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  get url(): string {
    return this.postgres.url;
  }

  get adminUrl(): string {
    return this.postgres.adminUrl;
  }

  get port(): number {
    return this.postgres.port;
  }

  get dataDirectory(): string {
    return this.postgres.dataDirectory;
  }

  /** Runs statements as the superuser. */
  async asAdmin<Row = Record<string, unknown>>(...statements: readonly string[]): Promise<Row[]> {
    const admin = new Client({ connectionString: this.adminUrl });
    admin.on('error', () => undefined);
    await admin.connect();
    try {
      let rows: Row[] = [];
      for (const statement of statements) rows = (await admin.query(statement)).rows as Row[];
      return rows;
    } finally {
      await admin.end();
    }
  }

  /** Ends it at once, as a power cut does; it starts again by itself, on the same port. */
  async restartImmediately(): Promise<void> {
    const before = this.postgres.pid;
    process.kill(before, 'SIGQUIT');
    await eventually(() => this.postgres.pid !== before, { timeoutMs: 20_000, what: 'the restart' });
  }

  /** As a failover does that left the address on a standby: it follows nobody, answers reads and takes no changes. */
  async becomeStandby(): Promise<void> {
    writeFileSync(join(this.dataDirectory, 'standby.signal'), '');
    process.kill(this.postgres.pid, 'SIGQUIT');
    await eventually(
      async () => {
        const [row] = await this.asAdmin<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
        return row?.standby;
      },
      { timeoutMs: 20_000, what: 'the standby' },
    );
  }

  /** Takes changes again. */
  async promote(): Promise<void> {
    await this.asAdmin('SELECT pg_promote()');
  }

  /** Changes a setting of the whole server, for connections that exist as well. */
  async set(name: string, value: string): Promise<void> {
    await this.asAdmin(`ALTER SYSTEM SET ${name} = '${value}'`, 'SELECT pg_reload_conf()');
    await eventually(async () => {
      const [row] = await this.asAdmin<{ value: string }>(`SELECT current_setting('${name}') AS value`);
      return row?.value === value;
    });
  }
}

// Not durable, but what is committed survives the end of its processes.
const launch = (directory: string, settings: Settings): Promise<EmbeddedPostgres> =>
  startEmbeddedPostgres({
    directory,
    isDurable: false,
    settings: { synchronous_commit: 'on', ...settings },
  });
