import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, renameSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Account } from './account.js';
import { CLEAN_ENVIRONMENT, ids, type Binaries } from './binaries.js';
import { ADMIN, urlOf } from './credentials.js';
import { diagnose } from './diagnose.js';
import { isProvenGone, readPidFile } from './pid-file.js';
import { isRunning } from './process-identity.js';
import { PostgresCannotStart } from './postgres-cannot-start.js';
import { asArguments } from './settings.js';

/** A PostgreSQL server that runs: one that we started, or one that outlived the process which did. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Resolves when the server is gone, however that came about. */
  readonly gone: Promise<void>;
}

const POLL_MS = 20;
// A server that says it is ready, or says nothing yet, answers within this time or is none.
const SILENCE_SECONDS = 2;
const ADOPTED_POLL_MS = 1_000;
const LOG_LIMIT_BYTES = 4 * 1024 * 1024;
// A free port can be taken by another program between our look and PostgreSQL's bind. Twice in a row is bad luck.
const PORT_TRIES = 5;
// The workers of a killed server notice that it is gone and end by themselves; a long statement is what delays it.
const LEFTOVER_SECONDS = 10;

export interface StartServer {
  readonly binaries: Binaries;
  readonly account: Account;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly port: number | undefined;
  readonly timeoutSeconds: number;
}

/** Starts the server and resolves when it accepts connections, which after a crash is when its log is replayed. */
export async function startServer(args: StartServer): Promise<Postmaster> {
  const deadline = performance.now() + LEFTOVER_SECONDS * 1_000;
  for (let tries = 1; ; tries++) {
    const port = args.port ?? (await freePort());
    try {
      return await startOn(port, args);
    } catch (error) {
      const reason = error instanceof PostgresCannotStart ? error.reason : undefined;
      const isUnlucky = reason === 'port-taken' && args.port === undefined && tries < PORT_TRIES;
      if (!isUnlucky && (reason !== 'leftover' || performance.now() > deadline)) throw error;
      if (reason === 'leftover') await delay(10 * POLL_MS);
    }
  }
}

async function startOn(port: number, args: StartServer): Promise<Postmaster> {
  const { dataDirectory, logFile } = args;
  const log = openLog(logFile);
  const logStart = statSync(logFile).size;
  const child = spawn(
    args.binaries.postgres,
    ['-D', dataDirectory, ...asArguments({ ...args.settings, port: String(port) })],
    // A session of its own: Ctrl-C in the terminal reaches the service, which stops its database last.
    { ...ids(args.account), cwd: '/', env: CLEAN_ENVIRONMENT, detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  const end: { isOver: boolean; problem?: string } = { isOver: false };
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      end.problem = error.message;
      end.isOver = true;
      resolve();
    });
    child.once('exit', () => {
      end.isOver = true;
      resolve();
    });
  });
  const deadline = performance.now() + args.timeoutSeconds * 1_000;
  while (!end.isOver) {
    const found = readPidFile(dataDirectory);
    if (child.pid !== undefined && found?.pid === child.pid && found.status === 'ready') {
      child.unref();
      return { pid: child.pid, port, gone };
    }
    if (performance.now() > deadline) {
      child.kill('SIGQUIT');
      throw new PostgresCannotStart(
        'timeout',
        `PostgreSQL was not ready within ${args.timeoutSeconds} s; its log is ${logFile}. ` +
          'After a crash it first replays what it had written; start again, and it goes on where it was.',
      );
    }
    await Promise.race([gone, delay(POLL_MS)]);
  }
  throw diagnose(end.problem ?? readFrom(logFile, logStart), { dataDirectory, port });
}

/**
 * Takes over the server that already serves this data directory, when there is one: the service was killed, and its
 * database was not. Waits for one that is still starting or stopping.
 */
export async function adoptServer(
  directory: string,
  dataDirectory: string,
  adminPassword: string,
  timeoutSeconds: number,
): Promise<Postmaster | undefined> {
  const deadline = performance.now() + timeoutSeconds * 1_000;
  const silenceDeadline = performance.now() + SILENCE_SECONDS * 1_000;
  for (;;) {
    const found = readPidFile(dataDirectory);
    if (found === undefined || !isRunning(found.pid) || isProvenGone(directory, found)) return undefined;
    if (await servesDirectory(found.port, adminPassword, dataDirectory)) {
      return { pid: found.pid, port: found.port, gone: untilGone(found.pid) };
    }
    const isChanging = found.status === 'starting' || found.status === 'stopping';
    if (performance.now() > (isChanging ? deadline : silenceDeadline)) return undefined;
    await delay(5 * POLL_MS);
  }
}

async function servesDirectory(port: number, adminPassword: string, dataDirectory: string): Promise<boolean> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return false;
  const client = new Client({
    connectionString: urlOf(ADMIN, adminPassword, port, 'postgres'),
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  // Without a listener an error that arrives between two queries would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const answer = await client.query<{ data_directory: string }>('SHOW data_directory');
    return answer.rows[0]?.data_directory === dataDirectory;
  } catch {
    return false; // Not ready, not ours, or not PostgreSQL: in each case not one to take over.
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Stops the server: politely for at most `fastSeconds` (clients are cut off, everything is written), then at once
 * (the next start replays the log; nothing committed is lost).
 */
export async function stopServer(server: Postmaster, fastSeconds: number): Promise<'fast' | 'immediate'> {
  if (await signalAndWait(server.pid, 'SIGINT', fastSeconds)) return 'fast';
  if (await signalAndWait(server.pid, 'SIGQUIT', 2)) return 'immediate';
  await signalAndWait(server.pid, 'SIGKILL', 2);
  return 'immediate';
}

async function signalAndWait(pid: number, signal: NodeJS.Signals, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1_000;
  if (!isRunning(pid)) return true;
  process.kill(pid, signal);
  while (performance.now() < deadline) {
    await delay(POLL_MS);
    if (!isRunning(pid)) return true;
  }
  return false;
}

async function untilGone(pid: number): Promise<void> {
  while (isRunning(pid)) await delay(ADOPTED_POLL_MS, undefined, { ref: false });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Opens the server's log for appending; a long one is put aside first, over the one put aside before. */
function openLog(path: string): number {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}

function readFrom(path: string, start: number): string {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(64 * 1024);
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, start));
  } finally {
    closeSync(file);
  }
}

/** The major version that wrote a data directory. */
export const majorOf = (dataDirectory: string): string =>
  readFileSync(join(dataDirectory, 'PG_VERSION'), 'utf8').trim();
