import { z } from 'zod';
import { InvalidInput } from '../errors.js';

const Position = z.tuple([z.int().min(0), z.uuid()]);

/** Where a page of reviews ended, as an opaque text. */
export const toCursor = (last: { readonly createdAt: number; readonly id: string }): string =>
  Buffer.from(JSON.stringify([last.createdAt, last.id])).toString('base64url');

/** @throws InvalidInput naming `cursor`. */
export function fromCursor(cursor: string): { createdAt: number; id: string } {
  try {
    const [createdAt, id] = Position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { createdAt, id };
  } catch (error) {
    throw InvalidInput.field('cursor', 'is not one that this list gave out; start without it', {
      cause: error,
    });
  }
}
