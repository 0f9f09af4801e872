import { InvalidInput } from '../errors.js';
import { isUuid } from './ids.js';

/** The last row of a page: the next one begins after it. */
export interface Place {
  readonly firstSeenAt: number;
  readonly id: string;
}

export const encodeCursor = (place: Place): string =>
  Buffer.from(`${place.firstSeenAt}:${place.id}`).toString('base64url');

/** @throws InvalidInput for anything that {@link encodeCursor} did not make. */
export function decodeCursor(cursor: string): Place {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const [at = '', id = ''] = text.split(':');
  const firstSeenAt = Number(at);
  if (!/^\d{1,15}$/.test(at) || !isUuid(id) || encodeCursor({ firstSeenAt, id }) !== cursor) {
    throw InvalidInput.field('cursor', 'is not one that this list gave; start again without it');
  }
  return { firstSeenAt, id };
}
