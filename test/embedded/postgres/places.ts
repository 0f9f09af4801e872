import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { onTestFinished } from 'vitest';
import { isRunning } from '../../../src/embedded/postgres/process-identity.js';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../../../src/embedded/postgres/start-embedded-postgres.js';

export const isRoot = process.getuid?.() === 0;

/** A folder of the test's own that everybody may pass through; removed with the test. */
export function place(name = 'home'): string {
  const base = mkdtempSync(join(tmpdir(), 'sallyport-launcher-'));
  chmodSync(base, 0o711);
  const directory = join(base, name);
  mkdirSync(directory, { mode: 0o711 });
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  return directory;
}

/** Starts a server without flushing to disk, and stops it with the test. */
export async function started(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ isDurable: false, ...options });
  onTestFinished(() => postgres.stop());
  return postgres;
}

/** Runs one statement on a connection of its own. */
export async function ask<Row>(url: string, statement: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

/** What the program `programs/start.ts` printed, and its process. */
export interface Elsewhere {
  readonly process: ChildProcess;
  readonly answer: { url: string; adminUrl: string; pid: number; error?: string };
}

/** Starts PostgreSQL from another process, so that the process can be killed. `as` names another user to run as. */
export async function startElsewhere(
  directory: string,
  as?: { uid: number; gid: number },
): Promise<Elsewhere> {
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const child = spawn(
    process.execPath,
    [here('../../support/run-typescript.mjs'), here('programs/start.ts'), directory],
    { ...as, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOME: directory } },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  for await (const line of createInterface({ input: child.stdout })) {
    const answer: Elsewhere['answer'] = JSON.parse(line);
    onTestFinished(() => {
      if (answer.pid !== undefined && isRunning(answer.pid)) process.kill(answer.pid, 'SIGQUIT');
    });
    return { process: child, answer };
  }
  throw new Error(`The other process printed nothing: ${complaint}`);
}

/** Ends a process at once and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
