import type { FastifyReply } from 'fastify';
import { Conflict, InvalidInput } from '../../errors.js';

/**
 * The version that a change is made to: of `If-Match` or of the field `version`.
 *
 * @throws InvalidInput when neither says one, or they differ.
 */
export function expectedVersion(ifMatch: string | undefined, version: number | undefined): number {
  if (ifMatch === undefined || ifMatch === '*') {
    if (version !== undefined) return version;
    throw InvalidInput.field(
      'version',
      'is missing: say which version you change, as a GET shows it, here or as If-Match',
    );
  }
  const said = /^(?:W\/)?"?(\d{1,9})"?$/.exec(ifMatch.trim())?.[1];
  if (said === undefined || (version !== undefined && version !== Number(said))) {
    throw InvalidInput.field('if-match', 'must be the version that a GET showed, as "3"');
  }
  return Number(said);
}

interface Versioned {
  readonly version: number;
  readonly updatedBy: string;
  readonly updatedAt: number;
}

/** @throws Conflict naming who was faster. */
export function refuseStale(current: Versioned, expected: number): void {
  if (current.version === expected) return;
  const { version, updatedBy, updatedAt } = current;
  const at = new Date(updatedAt).toISOString();
  throw new Conflict(
    `It was changed meanwhile, by ${updatedBy} at ${at}: it is version ${version} now. Read it again, then change that.`,
    { version, updatedBy, updatedAt: at },
  );
}

/** Tells the version as ETag too, so that it can come back as If-Match. */
export function tagged<T extends { readonly version: number }>(reply: FastifyReply, view: T): T {
  void reply.header('etag', `"${view.version}"`);
  return view;
}
