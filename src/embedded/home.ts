import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../errors.js';
import { writePrivate } from './private-file.js';

/** What a first start makes up, kept in `credentials.json` (0600) so that a second start knows it again. */
export const Credentials = z.object({
  /** Absent when another process on the same database made the first admin. */
  admin: z.object({ name: z.string(), password: z.string() }).optional(),
  apiKey: z.object({ keyId: z.string(), keySecret: z.string() }).optional(),
  s3: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
  eventsToken: z.string(),
});
export type Credentials = z.infer<typeof Credentials>;

/** Names of the files in SALLYPORT_HOME that hold secrets. */
export const MASTER_KEY = 'sallyport.key';
export const CREDENTIALS = 'credentials.json';

const secret = (bytes: number): string => randomBytes(bytes).toString('base64url');
// Upper-case letters and digits, as S3 clients expect of a key id.
const keyId = (): string => `SP${randomBytes(9).toString('hex').toUpperCase()}`;

// Root lends PostgreSQL an unprivileged account, which must be able to pass through to its own folder; it cannot list
// the home, and what is secret in it is readable by its owner alone.
const HOME_MODE = process.getuid?.() === 0 ? 0o711 : 0o700;

/** SALLYPORT_HOME, listable by its owner alone. */
export function openHome(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: HOME_MODE });
  } catch (error) {
    throw new ConfigError(
      `SALLYPORT_HOME: ${directory} cannot be made: ${(error as Error).message}. Set it to a folder that this user may write.`,
      {
        cause: error,
      },
    );
  }
}

/** Reads the credentials, or makes them. @returns `fresh` when this call made them. */
export function openCredentials(directory: string): { credentials: Credentials; fresh: boolean } {
  const path = join(directory, CREDENTIALS);
  const existing = readIfThere(path);
  if (existing !== undefined) {
    const parsed = Credentials.safeParse(parseOr(existing));
    if (!parsed.success) {
      throw new ConfigError(
        `${path} is damaged: ${z.prettifyError(parsed.error)}. Restore it from a backup; the database knows only hashes of what it holds.`,
      );
    }
    return { credentials: parsed.data, fresh: false };
  }
  const credentials: Credentials = {
    admin: { name: 'admin', password: secret(15) },
    apiKey: { keyId: `key-${randomBytes(6).toString('hex')}`, keySecret: secret(32) },
    s3: { accessKeyId: keyId(), secretAccessKey: secret(30) },
    eventsToken: secret(24),
  };
  writeCredentials(directory, credentials);
  return { credentials, fresh: true };
}

export function writeCredentials(directory: string, credentials: Credentials): void {
  writePrivate(join(directory, CREDENTIALS), `${JSON.stringify(credentials, null, 2)}\n`);
}

/** The key that seals the keyring, generated beside the embedded database. */
export function openMasterKey(directory: string): Buffer {
  const existing = findMasterKey(directory);
  if (existing !== undefined) return existing;
  const key = randomBytes(32);
  writePrivate(join(directory, MASTER_KEY), `${key.toString('base64')}\n`);
  return key;
}

/** The same where there is one; makes none. */
export function findMasterKey(directory: string): Buffer | undefined {
  const path = join(directory, MASTER_KEY);
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== 32)
    throw new ConfigError(
      `${path} does not hold 32 bytes in base64. Restore it from a backup; without it the keys in the database cannot be read.`,
    );
  return key;
}

function readIfThere(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    chmodSync(path, 0o600);
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(
      `${path} cannot be read: ${(error as Error).message}. Start as the user who owns it.`,
      { cause: error },
    );
  }
}

const parseOr = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The schema then says which fields are missing.
    return undefined;
  }
};
