import { visible } from '../../outbound/safe-text.js';

const MAX_NAME = 150;
// What is part of a path or a device somewhere, or means something to a shell or a header.
const UNSAFE = /[\\/:*?"<>|%;'`$&~^!{}\u0000-\u001f\u007f]/g;
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/**
 * A name to save a stranger's file under: no path, no hidden character, no device, and no hidden file. Never longer than 150
 * characters.
 */
export function savedName(key: string): string {
  const last = key.split('/').findLast((part) => part.trim() !== '') ?? '';
  const name = visible(last, MAX_NAME)
    .replace(UNSAFE, '_')
    .replace(/^[.\s-]+/, '_')
    .replace(/[.\s]+$/, '')
    .replace(DEVICE, '_$1');
  return name === '' ? 'object' : name;
}

/** `Content-Disposition` of RFC 6266: the name in ASCII for old clients, and as it is for all others. */
export function attachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/gu, '_').replace(/["\\]/g, '_');
  const extended = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${extended}`;
}

/** Headers of bytes that nobody vouches for: saved, never shown, never run, never kept by a cache. */
export const attachmentHeaders = (key: string, sizeBytes: number): Readonly<Record<string, string>> => ({
  'content-type': 'application/octet-stream',
  'content-disposition': attachment(savedName(key)),
  'content-length': String(sizeBytes),
  'x-content-type-options': 'nosniff',
  // Whatever it is, no browser is to make a page of it.
  'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-download-options': 'noopen',
  'cache-control': 'no-store',
});
