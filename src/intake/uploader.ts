import type { S3Event } from './s3-event.js';

const MAX_LENGTH = 500;

/**
 * Who uploaded the object, as its event says: `AWS:AROA…:session` of a role, `AWS:AIDA…` of a user, an access key, or the
 * account alone. Only of an upload: who restored or deleted something did not bring it.
 */
export function uploaderOf({ kind, principal }: S3Event): string | undefined {
  if (kind !== 'created' || principal === undefined) return undefined;
  // Cut by code points and well formed, since it is stored as text whatever came.
  const said = Array.from(principal.toWellFormed().replaceAll('\u0000', '').trim()).slice(0, MAX_LENGTH);
  return said.length === 0 ? undefined : said.join('');
}
