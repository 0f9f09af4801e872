import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writePrivate } from '../private-file.js';
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
  if (identity !== undefined) writePrivate(recordIn(directory), JSON.stringify(identity));
}

/** Forgets it after an orderly stop. */
export function forgetPostmaster(directory: string): void {
  rmSync(recordIn(directory), { force: true });
}

/** Whether we started the postmaster that the file names, and know that on this very machine it no longer runs. */
export function isProvenGone(directory: string, found: PidFile): boolean {
  const recorded = readRecord(directory);
  return recorded?.pid === found.pid && livenessOf(recorded) === 'gone';
}

// How long a killed process may stay in the process table before its parent collects it.
const COLLECTED_WITHIN_MS = 3_000;

/**
 * Clears a `postmaster.pid` that PostgreSQL itself would trip over although its postmaster is gone.
 *
 * PostgreSQL clears one whose number is free, but refuses to start when any process has it: another program, as after
 * a reboot, or the dead postmaster itself, which nobody collects in a container without an init process. We remove
 * the file only on proof that its postmaster is gone. Without proof it stays, and a sentence says what to look at.
 */
export async function clearStalePidFile(directory: string, dataDirectory: string): Promise<void> {
  const found = readPidFile(dataDirectory);
  if (found === undefined) return;
  const path = join(dataDirectory, 'postmaster.pid');
  if (isProvenGone(directory, found)) {
    const deadline = performance.now() + COLLECTED_WITHIN_MS;
    while (hasNumber(found.pid) && !isRunning(found.pid) && performance.now() < deadline) await delay(20);
    if (hasNumber(found.pid)) rmSync(path, { force: true });
    return;
  }
  if (!isRunning(found.pid)) return;
  throw new PostgresCannotStart(
    'already-running',
    `${path} says that process ${found.pid} serves this folder, but it does not answer on port ${found.port}. ` +
      `If that process is not a PostgreSQL (see: ps -p ${found.pid}), delete ${path} and start again.`,
  );
}

/** Whether the number is taken, be it by a dead process that nobody has collected yet. */
function hasNumber(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function readRecord(directory: string): ProcessIdentity | undefined {
  try {
    return ProcessIdentity.parse(JSON.parse(readFileSync(recordIn(directory), 'utf8')));
  } catch {
    return undefined; // Missing or cut off by a power failure: then nothing is proven, which is the safe answer.
  }
}

const recordIn = (directory: string): string => join(directory, 'postmaster.json');
