import { z } from 'zod';
import { InvalidInput } from './errors.js';

/** Where a page of a list ended: its last row's time in milliseconds and its id. The next page begins after it. */
export interface Place {
  readonly at: number;
  readonly id: string;
}

const Position = z.tuple([z.int().min(0), z.string().max(300)]);

/** An opaque text for clients. */
export const encodeCursor = ({ at, id }: Place): string =>
  Buffer.from(JSON.stringify([at, id])).toString('base64url');

/**
 * @param isId whether a text can be an id of the list.
 * @throws InvalidInput naming `cursor` for anything that {@link encodeCursor} did not make.
 */
export function decodeCursor(cursor: string, isId: (id: string) => boolean): Place {
  const place = read(cursor);
  if (place === undefined || !isId(place.id) || encodeCursor(place) !== cursor) {
    throw InvalidInput.field('cursor', 'is not one that this list gave; start again without it');
  }
  return place;
}

/** For lists whose ids are UUIDs. */
export const isUuid = (id: string): boolean => z.guid().safeParse(id).success;

/** For lists whose ids their clients may choose: anything that PostgreSQL can compare with. */
export const isText = (id: string): boolean => !id.includes('\u0000') && id.isWellFormed();

function read(cursor: string): Place | undefined {
  try {
    const parsed = Position.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return parsed.success ? { at: parsed.data[0], id: parsed.data[1] } : undefined;
  } catch {
    // No JSON, so not ours.
    return undefined;
  }
}
