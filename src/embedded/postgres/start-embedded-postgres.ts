import { mkdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { canEnter, chooseAccount, type Account } from './account.js';
import { prepareBinaries, type Binaries } from './binaries.js';
import { ADMIN, credentialsIn, DATABASE, OWNER, urlOf } from './credentials.js';
import { diagnose } from './diagnose.js';
import { codeOf, messageOf } from './error-facts.js';
import { takeHomeLock, type HomeLock } from './home-lock.js';
import { ensureDatabase, initialise, isInitialised } from './initialise.js';
import { ServerKeeper } from './keep-running.js';
import { existingLocation, makeLocation, SYSTEM_DIRECTORY, type Location } from './location.js';
import { clearStalePidFile, forgetPostmaster, recordPostmaster } from './pid-file.js';
import { adoptServer, majorOf, startServer, stopServer, type Postmaster } from './postmaster.js';
import { PostgresCannotStart } from './postgres-cannot-start.js';
import { settings } from './settings.js';

/** What to start and where. Only `directory` is needed. */
export interface EmbeddedPostgresOptions {
  /** Holds everything of this PostgreSQL: data, passwords, log. Made when missing. */
  readonly directory: string;
  /** On 127.0.0.1; a free one is found when left out. */
  readonly port?: number;
  /** Told in sentences what takes time or is unusual. */
  readonly log?: (sentence: string) => void;
  /** Settings on top of our own, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** False only for tests: nothing is flushed to disk, and a power cut loses everything. */
  readonly isDurable?: boolean;
  /** How long a start may take; replaying the log after a crash is the slow part. */
  readonly startTimeoutSeconds?: number;
  /** Called when the server ends without `stop` having been called; it is started again then. */
  readonly onUnexpectedExit?: () => void;
  /** Called when it cannot be started again; the sentence says why. From then on there is no database. */
  readonly onLost?: (reason: string) => void;
  /** Where root puts what the unprivileged account must reach when `directory` is closed to it. */
  readonly systemDirectory?: string;
}

/** A PostgreSQL that serves one database to one service on this machine. */
export interface EmbeddedPostgres {
  /** For the service: its user owns the database and can do nothing outside it. */
  readonly url: string;
  /** For migrations that need more, and for tests: the superuser on the same database. */
  readonly adminUrl: string;
  readonly port: number;
  /** Of the server as it runs now; another one after it ended by itself and was started again. */
  readonly pid: number;
  /** Whether the server was found running, left over from a service that was killed. */
  readonly isAdopted: boolean;
  readonly dataDirectory: string;
  /** Ends the server: cleanly within 8 s, else at once and without loss. Calling it again is harmless. */
  stop(): Promise<void>;
}

const FAST_STOP_SECONDS = 8;
const START_TIMEOUT_SECONDS = 60;
const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/**
 * Starts PostgreSQL in a folder of its own, making the database on the first start.
 *
 * Works for an ordinary user and for root, who lends it an unprivileged account. A server that is still running there
 * because the service was killed is taken over. Throws `PostgresCannotStart`, whose message says what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  if (process.platform === 'win32') {
    throw new PostgresCannotStart(
      'wrong-architecture',
      'The embedded PostgreSQL runs on Linux and macOS. On Windows use WSL, or set DATABASE_URL to a PostgreSQL of your own.',
    );
  }
  try {
    const directory = makeDirectory(options.directory);
    return await startLocked(directory, takeHomeLock(directory), options);
  } catch (error) {
    throw explain(error, resolve(options.directory));
  }
}

async function startLocked(
  directory: string,
  lock: HomeLock,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  try {
    const { server, location, isAdopted } = await adoptOrStart(directory, options);
    recordPostmaster(directory, server.pid);
    const credentials = credentialsIn(directory);
    await ensureDatabase(server.port, credentials);
    const keeper = new ServerKeeper(server, {
      // Whoever holds the address keeps it: the port stays.
      start: async () => (await adoptOrStart(directory, { ...options, port: server.port })).server,
      onExit: () => options.onUnexpectedExit?.(),
      onBack: ({ pid }) => {
        recordPostmaster(directory, pid);
        options.log?.(`The embedded PostgreSQL runs again (process ${pid}).`);
      },
      onLost: (reason) => options.onLost?.(reason),
    });
    let stopping: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      if ((await stopServer(await keeper.release(), FAST_STOP_SECONDS)) === 'immediate') {
        options.log?.(
          `PostgreSQL did not stop within ${FAST_STOP_SECONDS} s and was ended at once; the next start repairs it.`,
        );
      }
      forgetPostmaster(directory);
      lock.release();
    };
    return {
      url: urlOf(OWNER, credentials.password, server.port, DATABASE),
      adminUrl: urlOf(ADMIN, credentials.adminPassword, server.port, DATABASE),
      port: server.port,
      get pid() {
        return keeper.server.pid;
      },
      isAdopted,
      dataDirectory: location.dataDirectory,
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Running {
  readonly server: Postmaster;
  readonly location: Location;
  readonly isAdopted: boolean;
}

async function adoptOrStart(directory: string, options: EmbeddedPostgresOptions): Promise<Running> {
  const log = options.log ?? (() => undefined);
  const timeoutSeconds = options.startTimeoutSeconds ?? START_TIMEOUT_SECONDS;
  const credentials = credentialsIn(directory);
  const existing = existingLocation(directory);
  if (existing !== undefined && isInitialised(existing)) {
    const adopted = await adoptServer(
      directory,
      existing.dataDirectory,
      credentials.adminPassword,
      timeoutSeconds,
    );
    if (adopted !== undefined) {
      log(`Found the embedded PostgreSQL still running (process ${adopted.pid}) and took it over.`);
      return { server: adopted, location: existing, isAdopted: true };
    }
    await clearStalePidFile(directory, existing.dataDirectory);
  }
  const account = chooseAccount(existing?.clusterDirectory ?? directory);
  const systemDirectory = options.systemDirectory ?? SYSTEM_DIRECTORY;
  const binaries = prepareBinaries(account, account.uid === undefined ? directory : systemDirectory);
  const location = existing ?? makeLocation(directory, account, systemDirectory);
  if (!location.clusterDirectory.startsWith(directory))
    log(
      `PostgreSQL's data lies in ${location.clusterDirectory}, because the user ${account.name} cannot enter ${directory}.`,
    );
  if (isInitialised(location)) checkUsable(location, binaries, account);
  else {
    log(`Making a PostgreSQL ${binaries.version} database in ${location.clusterDirectory}.`);
    await initialise(binaries, account, location, credentials, options.isDurable ?? true);
  }
  const server = await startServer({
    binaries,
    account,
    dataDirectory: location.dataDirectory,
    logFile: join(directory, 'postgres.log'),
    settings: { ...settings, ...(options.isDurable === false ? NOT_DURABLE : {}), ...options.settings },
    port: options.port,
    timeoutSeconds,
  });
  return { server, location, isAdopted: false };
}

function checkUsable(location: Location, binaries: Binaries, account: Account): void {
  const { dataDirectory, clusterDirectory } = location;
  const wrote = majorOf(dataDirectory);
  const runs = binaries.version.split('.')[0];
  if (wrote !== runs) {
    throw new PostgresCannotStart(
      'version-mismatch',
      `${dataDirectory} was written by PostgreSQL ${wrote}, and this Sallyport brings PostgreSQL ${runs}. ` +
        'Start the Sallyport version that wrote it, or move that folder away to begin empty.',
    );
  }
  if (!canEnter(account, clusterDirectory)) {
    throw new PostgresCannotStart(
      'unreachable',
      `The user ${account.name}, whom PostgreSQL's data belongs to, can no longer enter ${clusterDirectory}. ` +
        'Open the folders above it to everybody (chmod a+x), or start Sallyport as that user.',
    );
  }
}

/** The real path, because PostgreSQL reports its data directory so, and because a lock must have one name. */
function makeDirectory(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o711 });
  return realpathSync(path);
}

/** What the system refused while we wrote our own files, as a sentence; any other error as it is. */
function explain(error: unknown, directory: string): unknown {
  const code = codeOf(error) ?? '';
  if (['ENOSPC', 'EDQUOT'].includes(code)) {
    return diagnose('No space left on device', { dataDirectory: directory });
  }
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) {
    return new PostgresCannotStart(
      'account',
      `This user cannot write ${directory}: ${messageOf(error)}. ` +
        'Point SALLYPORT_HOME at a folder that it can write, or start Sallyport as the user that owns this one.',
      { cause: error },
    );
  }
  return error;
}
