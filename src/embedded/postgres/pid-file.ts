import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from './error-facts.js';
import { identify, isRunning, livenessOf, ProcessIdentity } from './process-identity.js';
import { PostgresCannotStart } from './postgres-cannot-start.js';

/** What a running postmaster says of itself in `postmaster.pid`. */
export interface PidFile {
  readonly pid: number;
  readonly port: number;
  /** `starting`, `ready`, `stopping` … : the last line, once there is one. */
  readonly status: string;
}

/** Reads `postmaster.pid`; undefined when there is none. */
export function readPidFile(dataDirectory: string): PidFile | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7]?.trim() ?? '' };
}

/** Writes down which process we started, so that a later start can tell it from a stranger with the same number. */
export function recordPostmaster(directory: string, pid: number): void {
  const identity = identify(pid);
  if (identity !== undefined) writeFileSync(recordIn(directory), JSON.stringify(identity), { mode: 0o600 });
}

/** Forgets it after an orderly stop. */
export function forgetPostmaster(directory: string): void {
  rmSync(recordIn(directory), { force: true });
}

/**
 * Clears a `postmaster.pid` whose number has been taken by a program of another kind, as happens after a reboot.
 *
 * PostgreSQL itself clears one whose number is free, but refuses to start when any process has it. We remove the file
 * only on proof: we started that postmaster, and on this very machine it no longer runs. Without proof it stays.
 */
export function clearProvenStalePidFile(directory: string, dataDirectory: string): void {
  const found = readPidFile(dataDirectory);
  if (found === undefined || !isRunning(found.pid)) return;
  const recorded = readRecord(directory);
  if (recorded?.pid === found.pid && livenessOf(recorded) === 'gone') {
    rmSync(join(dataDirectory, 'postmaster.pid'), { force: true });
    return;
  }
  const path = join(dataDirectory, 'postmaster.pid');
  throw new PostgresCannotStart(
    'already-running',
    `${path} says that process ${found.pid} serves this folder, but it does not answer on port ${found.port}. ` +
      `If that process is not a PostgreSQL (see: ps -p ${found.pid}), delete ${path} and start again.`,
  );
}

function readRecord(directory: string): ProcessIdentity | undefined {
  try {
    return ProcessIdentity.parse(JSON.parse(readFileSync(recordIn(directory), 'utf8')));
  } catch {
    return undefined; // Missing or cut off by a power failure: then nothing is proven, which is the safe answer.
  }
}

const recordIn = (directory: string): string => join(directory, 'postmaster.json');
