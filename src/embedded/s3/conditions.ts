import type { ObjectVersion } from './model.js';
import type { RequestHeaders } from './request-headers.js';
import { noSuchKey, notImplemented, preconditionFailed, S3Error } from './s3-error.js';
import type { Guard } from './store.js';

/** Whether a list of entity tags (or `*`) names this one. Quotes may be missing, as clients often forget them. */
export const matchesEtag = (list: string, etag: string): boolean =>
  list.split(',').some((each) => {
    const tag = each
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
    return tag === '*' || tag === etag;
  });

/** The conditions of a write: `If-None-Match: *` for a key that is free, `If-Match` for one that is as expected. */
export function writeGuard(headers: RequestHeaders, key: string): Guard {
  const ifMatch = headers.get('if-match');
  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw notImplemented('If-None-Match with anything but * on a write');
  }
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw notImplemented('If-Match together with If-None-Match');
  }
  return (current) => {
    const exists = current !== undefined && !current.isDeleteMarker;
    if (ifNoneMatch !== undefined && exists) throw preconditionFailed('If-None-Match');
    if (ifMatch === undefined) return;
    if (!exists) throw noSuchKey(key);
    if (!matchesEtag(ifMatch, current.etag)) throw preconditionFailed('If-Match');
  };
}

/** The condition of a delete. */
export function deleteGuard(ifMatch: string | undefined, key: string): Guard {
  return (current) => {
    if (ifMatch === undefined) return;
    if (current === undefined || current.isDeleteMarker) throw noSuchKey(key);
    if (!matchesEtag(ifMatch, current.etag)) throw preconditionFailed('If-Match');
  };
}

/**
 * The conditions of a read, in the order of RFC 9110. Throws `PreconditionFailed`;
 * `not-modified` stands for 304. Dates that cannot be read are passed over, as the RFC says.
 */
export function checkRead(headers: RequestHeaders, version: ObjectVersion): 'go-on' | 'not-modified' {
  const modified = Math.floor(version.modifiedAt / 1000) * 1000;
  const ifMatch = headers.get('if-match');
  const unmodifiedSince = Date.parse(headers.get('if-unmodified-since') ?? '');
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, version.etag)) throw preconditionFailed('If-Match');
  } else if (modified > unmodifiedSince) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  const ifNoneMatch = headers.get('if-none-match');
  const modifiedSince = Date.parse(headers.get('if-modified-since') ?? '');
  if (ifNoneMatch !== undefined) return matchesEtag(ifNoneMatch, version.etag) ? 'not-modified' : 'go-on';
  return modified <= modifiedSince ? 'not-modified' : 'go-on';
}

/** The conditions on the source of a copy. Any that does not hold is 412 here. */
export function checkCopySource(headers: RequestHeaders, version: ObjectVersion): void {
  const modified = Math.floor(version.modifiedAt / 1000) * 1000;
  const header = (name: string): string | undefined => headers.get(`x-amz-copy-source-${name}`);
  const ifMatch = header('if-match');
  const ifNoneMatch = header('if-none-match');
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, version.etag)) throw preconditionFailed('x-amz-copy-source-If-Match');
  } else if (modified > Date.parse(header('if-unmodified-since') ?? '')) {
    throw preconditionFailed('x-amz-copy-source-If-Unmodified-Since');
  }
  if (ifNoneMatch !== undefined) {
    if (matchesEtag(ifNoneMatch, version.etag)) throw preconditionFailed('x-amz-copy-source-If-None-Match');
  } else if (modified <= Date.parse(header('if-modified-since') ?? '')) {
    throw preconditionFailed('x-amz-copy-source-If-Modified-Since');
  }
}

/** A part of a body: bytes `start … end` (exclusive). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The range that a Range header asks for. `undefined` for the whole: no header, one that is malformed, or several
 * ranges, which S3 does not do either. Throws `InvalidRange` when no byte of it exists.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  const first = found?.[1] ?? '';
  const last = found?.[2] ?? '';
  if (
    found === null ||
    (first === '' && last === '') ||
    (first !== '' && last !== '' && Number(last) < Number(first))
  ) {
    return undefined;
  }
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  if (start >= end) {
    throw new S3Error('InvalidRange', 416, 'The requested range is not satisfiable', {
      elements: { RangeRequested: header ?? '', ActualObjectSize: String(size) },
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  return { start, end };
}
