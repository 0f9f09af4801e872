import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from './error-facts.js';
import { identify, livenessOf, ProcessIdentity } from './process-identity.js';
import { PostgresCannotStart } from './postgres-cannot-start.js';

/** Held by the one process that may start, adopt or stop the PostgreSQL of a directory. */
export interface HomeLock {
  release(): void;
}

// Each further try means that somebody else's lock came and went between two of our system calls.
const MAX_TRIES = 5;

/**
 * Takes the lock of a directory or says who holds it.
 *
 * The file appears whole (written aside, then linked), so a reader never sees half of it. A lock whose process is
 * gone, as after kill -9, is taken over.
 */
export function takeHomeLock(directory: string): HomeLock {
  const path = join(directory, 'lock.json');
  const self = identify(process.pid);
  if (self === undefined)
    throw new PostgresCannotStart('unknown', 'This system does not tell processes apart.');
  const text = JSON.stringify({ ...self, nonce: randomBytes(8).toString('hex') });
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (publish(path, text)) return { release: () => releaseLock(path, text) };
    refuseIfHeld(path, directory);
  }
  throw new PostgresCannotStart(
    'already-running',
    `Several starts compete for ${directory}. Try again in a moment.`,
  );
}

function publish(path: string, text: string): boolean {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(aside, text, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(aside, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Throws when a living process holds the lock; otherwise moves the dead one's lock out of the way. */
function refuseIfHeld(path: string, directory: string): void {
  const text = readText(path);
  if (text === undefined) return;
  const holder = parse(text);
  const liveness = holder === undefined ? 'gone' : livenessOf(holder);
  if (holder !== undefined && liveness === 'alive') {
    throw new PostgresCannotStart(
      'already-running',
      `Sallyport already runs on ${directory} (process ${holder.pid}). Stop that one first, or give this one a folder of its own with SALLYPORT_HOME.`,
    );
  }
  if (holder !== undefined && liveness === 'unknown' && holder.host !== identify(process.pid)?.host) {
    throw new PostgresCannotStart(
      'already-running',
      `${directory} was last used on the machine ${holder.host} and may still be in use there. ` +
        `When Sallyport no longer runs on it, delete ${path} and start again.`,
    );
  }
  const aside = `${path}.stale.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Somebody else may have taken the dead lock over just before our rename: then give theirs back.
  if (readText(aside) !== text) linkSync(aside, path);
  rmSync(aside, { force: true });
}

function releaseLock(path: string, text: string): void {
  if (readText(path) === text) rmSync(path, { force: true });
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): ProcessIdentity | undefined {
  try {
    return ProcessIdentity.parse(JSON.parse(text));
  } catch {
    return undefined; // Half a file can only come from a machine that lost power: nobody holds it.
  }
}
