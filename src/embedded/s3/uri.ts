import { invalidArgument, S3Error } from './s3-error.js';

/** A request target taken apart without any normalisation: `..`, `//` and `%2F` stay what they are. */
export interface Target {
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** `/bucket/` instead of `/bucket`. */
  readonly hasTrailingSlash: boolean;
  /** In the order received, names and values decoded. No name occurs twice. */
  readonly query: ReadonlyMap<string, string>;
}

/** Percent-encodes everything but RFC 3986's unreserved characters, as SigV4 wants it. */
export const encodeRfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, hexEscape);

/** Like `encodeRfc3986`, but leaves `/` alone: the canonical form of a path. */
export const encodePath = (text: string): string => encodeRfc3986(text).replaceAll('%2F', '/');

/**
 * The form encoding of keys in event messages and in listings with `encoding-type=url`: space becomes `+`,
 * `/` stays, as S3 sends it.
 */
export const encodeForm = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()~]/g, hexEscape)
    .replaceAll('%20', '+')
    .replaceAll('%2F', '/');

const hexEscape = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;

/** Takes a raw request target apart. Throws `InvalidURI` for anything that is not UTF-8 behind its escapes. */
export function parseTarget(raw: string): Target {
  const mark = raw.indexOf('?');
  const path = mark < 0 ? raw : raw.slice(0, mark);
  if (!path.startsWith('/')) throw invalidUri();
  const slash = path.indexOf('/', 1);
  const bucket = percentDecode(slash < 0 ? path.slice(1) : path.slice(1, slash));
  const key = slash < 0 ? '' : percentDecode(path.slice(slash + 1));
  return {
    bucket: path === '/' ? undefined : bucket,
    key: key === '' ? undefined : key,
    hasTrailingSlash: slash > 0 && key === '',
    query: parseQuery(mark < 0 ? '' : raw.slice(mark + 1)),
  };
}

/** Decodes a query string (also the value of `x-amz-tagging`). Throws `InvalidArgument` for a repeated name. */
export function parseQuery(raw: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const pair of raw.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = percentDecode(equals < 0 ? pair : pair.slice(0, equals), true);
    const value = equals < 0 ? '' : percentDecode(pair.slice(equals + 1), true);
    if (query.has(name)) throw invalidArgument(name, value, `The parameter ${name} was given twice.`);
    query.set(name, value);
  }
  return query;
}

/** Strict percent-decoding to UTF-8. `raw` holds one byte per character, as node:http gives it. */
export function percentDecode(raw: string, plusIsSpace = false): string {
  const bytes = Buffer.alloc(raw.length);
  let length = 0;
  for (let i = 0; i < raw.length; i += 1) {
    const char = raw.charCodeAt(i);
    if (char === 0x25) {
      const hex = raw.slice(i + 1, i + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) throw invalidUri();
      bytes[length] = Number.parseInt(hex, 16);
      i += 2;
    } else {
      if (char > 0xff) throw invalidUri();
      bytes[length] = plusIsSpace && char === 0x2b ? 0x20 : char;
    }
    length += 1;
  }
  return decodeUtf8(bytes.subarray(0, length)) ?? fail();
}

/** Gives `undefined` for bytes that are not UTF-8. A byte order mark is kept: it may begin a key. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // The decoder has no way to ask beforehand; "not UTF-8" is an answer, not a failure.
  }
}

const invalidUri = (): S3Error => new S3Error('InvalidURI', 400, "Couldn't parse the specified URI.");
const fail = (): never => {
  throw invalidUri();
};
