import { join } from 'node:path';
import {
  isSealed,
  NotOwned,
  readHomeAddress,
  readHomeKey,
  type HomeAddress,
} from '../embedded/home-address.js';
import { CommandError } from './command-error.js';

/** Which service, and as whom. */
export interface Settings {
  /** Without a slash at the end. */
  readonly url: string;
  /** Value of the Authorization header; `undefined` where none is known (fine with AUTH=off). */
  readonly authorization: string | undefined;
  /** The folder of the service of this machine, and where that listens. */
  readonly home: string;
  readonly own: HomeAddress | undefined;
  /** The address or the key is that of the home: whoever listens there proves to be its service before it is sent. */
  readonly needsProof: boolean;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * From the environment, and what is not there from the home of the service of this machine. The key of that home goes to
 * that service alone.
 */
export function settingsFrom(env: Readonly<Record<string, string | undefined>>): Settings {
  const home = given(env['SALLYPORT_HOME']) ?? '.sallyport';
  const named = given(env['SALLYPORT_URL']);
  const url = named === undefined ? undefined : urlOf(named);
  const key = given(env['SALLYPORT_API_KEY']);
  if (key !== undefined && !/^[^:\s]+:\S+$/.test(key)) {
    throw new CommandError('SALLYPORT_API_KEY: must be keyId:keySecret.');
  }
  const isNeeded = url === undefined || key === undefined;
  // A key that is given is not bound to any home: root, too, gives it only to a home of its own.
  const own = isNeeded
    ? inHome(home, 'address.json', () => readHomeAddress(home, key !== undefined))
    : undefined;
  if (url === undefined && own === undefined) {
    throw new CommandError(
      `No service is known: it has not written its address into ${home}. Start it, run this in its folder, or set SALLYPORT_URL.`,
    );
  }
  const isOwn = own !== undefined && (url === undefined || isSame(url, new URL(own.url)));
  const used = key ?? (isOwn ? ownKey(home, own) : undefined);
  return {
    // Its own spelling: under another loopback address of the same port may be somebody else.
    url: (isOwn ? own.url : (url?.href ?? '')).replace(/\/+$/, ''),
    authorization: used === undefined ? undefined : `Basic ${Buffer.from(used).toString('base64')}`,
    home,
    own,
    needsProof: isOwn,
  };
}

/** An empty variable means unset, as it does to the service. */
const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username + url.password !== '') {
    throw new CommandError(
      `SALLYPORT_URL: "${text}" cannot be used. Give an address like http://127.0.0.1:8080, the key in SALLYPORT_API_KEY.`,
    );
  }
  url.search = '';
  url.hash = '';
  return url;
}

const isSame = (a: URL, b: URL): boolean =>
  a.protocol === b.protocol &&
  a.port === b.port &&
  a.pathname === b.pathname &&
  (a.hostname === b.hostname || (LOOPBACK.has(a.hostname) && LOOPBACK.has(b.hostname)));

/** What the first start wrote, for the address that the service of this very key wrote. */
function ownKey(home: string, own: HomeAddress): string | undefined {
  const apiKey = inHome(home, 'credentials.json', () => readHomeKey(home));
  if (apiKey === undefined) return undefined;
  if (!isSealed(own, apiKey.keySecret)) {
    throw new CommandError(
      `${join(home, 'address.json')} was not written by the service whose key is in ${join(home, 'credentials.json')}, so no key was sent to ${own.url}. Start that service again, or set SALLYPORT_URL and SALLYPORT_API_KEY.`,
    );
  }
  return `${apiKey.keyId}:${apiKey.keySecret}`;
}

function inHome<T>(home: string, file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const [path, verb] = error instanceof NotOwned ? [error.path, 'used'] : [join(home, file), 'read'];
    throw new CommandError(
      `${path} cannot be ${verb}: ${(error as Error).message}. Run this as the user of the service, or set SALLYPORT_URL and SALLYPORT_API_KEY.`,
      { cause: error },
    );
  }
}
