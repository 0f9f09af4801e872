import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, isText, isUuid } from '../src/cursor.js';
import { InvalidInput } from '../src/errors.js';

describe('a cursor', () => {
  it('leads back to the place that it was made of', () => {
    fc.assert(
      fc.property(fc.nat(), fc.uuid(), (at, id) => {
        expect(decodeCursor(encodeCursor({ at, id }), isUuid)).toEqual({ at, id });
      }),
    );
  });

  it('is refused by name when no list gave it', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeCursor(text, isUuid)).toThrow(InvalidInput);
        expect(() => decodeCursor(text, isUuid)).toThrow(/^cursor: /);
      }),
    );
  });

  it.each([
    ['another list’s id', [1, 'not-a-uuid'], isUuid],
    ['a time before all', [-1, '00000000-0000-4000-8000-000000000000'], isUuid],
    ['a text that PostgreSQL cannot hold', [1, 'a\u0000b'], isText],
    ['something more', [1, 'a', 'b'], isText],
  ])('is refused with %s inside', (_what, place, isId) => {
    const cursor = Buffer.from(JSON.stringify(place)).toString('base64url');
    expect(() => decodeCursor(cursor, isId)).toThrow(InvalidInput);
  });
});
