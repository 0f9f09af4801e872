import { setTimeout as delay } from 'node:timers/promises';
import { credentialsIn, DATABASE, OWNER, urlOf } from './credentials.js';
import { isInitialised } from './initialise.js';
import { existingLocation } from './location.js';
import { readPidFile } from './pid-file.js';
import { isRunning } from './process-identity.js';
import { startEmbeddedPostgres } from './start-embedded-postgres.js';

/** A PostgreSQL that somebody else may be serving with. */
export interface Visit {
  readonly url: string;
  /** Ends it again where this visit started it. */
  close(): Promise<void>;
}

const STARTS_WITHIN_MS = 60_000;

/** Reaches the database of a folder, whether a service runs on it or not. `undefined` where there is none yet. */
export async function visitEmbeddedPostgres(directory: string): Promise<Visit | undefined> {
  const location = existingLocation(directory);
  if (location === undefined || !isInitialised(location)) return undefined;
  const deadline = performance.now() + STARTS_WITHIN_MS;
  for (let found = readPidFile(location.dataDirectory); ; found = readPidFile(location.dataDirectory)) {
    if (found === undefined || !isRunning(found.pid)) break;
    if (found.status === 'ready') {
      const { password } = credentialsIn(directory);
      return { url: urlOf(OWNER, password, found.port, DATABASE), close: () => Promise.resolve() };
    }
    // One that does not come up is told by our own start.
    if (performance.now() > deadline) break;
    await delay(100);
  }
  const server = await startEmbeddedPostgres({ directory });
  return { url: server.url, close: () => server.stop() };
}
