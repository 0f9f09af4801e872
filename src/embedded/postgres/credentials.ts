import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivate } from '../private-file.js';
import { codeOf, messageOf } from './error-facts.js';
import { PostgresCannotStart } from './postgres-cannot-start.js';

/** Who may log in to the embedded PostgreSQL; kept beside its data, readable by nobody else. */
export type Credentials = Readonly<z.infer<typeof Credentials>>;

const Credentials = z.object({
  /** Password of `postgres`, who may do everything. */
  adminPassword: z.string().min(16),
  /** Password of `sallyport`, who owns the database of that name and nothing else. */
  password: z.string().min(16),
});

export const ADMIN = 'postgres';
export const OWNER = 'sallyport';
export const DATABASE = 'sallyport';

/** Reads the passwords, or makes them on the first start. */
export function credentialsIn(directory: string): Credentials {
  const path = join(directory, 'credentials.json');
  try {
    return Credentials.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return create(path);
    if (codeOf(error) === 'EACCES') {
      throw new PostgresCannotStart(
        'account',
        `${path} belongs to another user. Start Sallyport as that user, or point SALLYPORT_HOME at a folder of this one.`,
        { cause: error },
      );
    }
    throw new PostgresCannotStart(
      'damaged',
      `${path} cannot be read: ${messageOf(error)}. Restore it from a backup, or move ${directory} away to begin empty.`,
      { cause: error },
    );
  }
}

/** A URL for a database of the cluster. The passwords are URL-safe by construction. */
export function urlOf(user: string, password: string, port: number, database: string): string {
  return `postgresql://${user}:${password}@127.0.0.1:${port}/${database}`;
}

// On disk before the first database is made: a cluster whose password was lost in a power cut could not be opened.
function create(path: string): Credentials {
  const made: Credentials = { adminPassword: secret(), password: secret() };
  writePrivate(path, `${JSON.stringify(made, null, 2)}\n`);
  return made;
}

const secret = (): string => randomBytes(24).toString('base64url');
