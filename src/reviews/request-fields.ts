import { z } from 'zod';

/** Text that can be stored. @param max length in characters. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((s) => !s.includes('\u0000') && s.isWellFormed(), 'must not contain NUL or lone surrogates');

export const ReviewId = z.uuid('is not the id of a review');

/** A moment with its offset; ISO 8601. */
export const instant = z.iso.datetime({
  offset: true,
  message: 'must be a time such as 2026-12-24T09:00:00Z',
});
