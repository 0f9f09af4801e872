import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './command-error.js';

/** Which service, and as whom. */
export interface Settings {
  /** Without a slash at the end. */
  readonly url: string;
  /** Value of the Authorization header; `undefined` where none is known (fine with AUTH=off). */
  readonly authorization: string | undefined;
}

const DEFAULT_URL = 'http://127.0.0.1:8080';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** From the environment; the key of a first start only for the service of this machine, which made it. */
export function settingsFrom(env: Readonly<Record<string, string | undefined>>): Settings {
  const url = urlOf(env['SALLYPORT_URL'] ?? DEFAULT_URL);
  const key = env['SALLYPORT_API_KEY'] ?? (LOOPBACK.has(url.hostname) ? ownKey(env) : undefined);
  if (key !== undefined && !/^[^:\s]+:\S+$/.test(key)) {
    throw new CommandError('SALLYPORT_API_KEY: must be keyId:keySecret.');
  }
  return {
    url: url.href.replace(/\/+$/, ''),
    authorization: key === undefined ? undefined : `Basic ${Buffer.from(key).toString('base64')}`,
  };
}

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw new CommandError(
      `SALLYPORT_URL: "${text}" cannot be used. Give an address like ${DEFAULT_URL}, the key in SALLYPORT_API_KEY.`,
    );
  }
  url.search = '';
  url.hash = '';
  return url;
}

/** What the first start wrote, where this user may read it. */
function ownKey(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const path = join(env['SALLYPORT_HOME'] ?? '.sallyport', 'credentials.json');
  if (!existsSync(path)) return undefined;
  try {
    const { apiKey } = JSON.parse(readFileSync(path, 'utf8')) as {
      apiKey?: { keyId: string; keySecret: string };
    };
    return apiKey === undefined ? undefined : `${apiKey.keyId}:${apiKey.keySecret}`;
  } catch (error) {
    throw new CommandError(
      `${path} cannot be read: ${(error as Error).message}. Run this as the user of the service, or set SALLYPORT_API_KEY.`,
      { cause: error },
    );
  }
}
