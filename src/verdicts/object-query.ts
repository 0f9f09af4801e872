import { z } from 'zod';
import { VERDICTS, type Verdict } from './verdict.js';

/* Parts of the queries that lists of objects and of their findings take. */

/** A text that PostgreSQL can compare with. */
export const storable = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\u0000') && value.isWellFormed(), 'must not contain NUL')
    // An empty field of a form means that nothing is asked.
    .transform((value) => (value === '' ? undefined : value))
    .optional();

export const instant = z
  .string()
  .transform((value, context) => {
    if (value === '') return undefined;
    const at = /^\d{1,15}$/.test(value) ? Number(value) : Date.parse(value);
    if (Number.isSafeInteger(at)) return at;
    context.addIssue({ code: 'custom', message: 'must be an ISO 8601 time or milliseconds since the epoch' });
    return z.NEVER;
  })
  .optional();

/** One verdict or several, separated by commas or repeated. */
export const verdicts = z
  .union([z.string(), z.array(z.string()).max(20)])
  .transform((value, context): Verdict[] | undefined => {
    const names = (Array.isArray(value) ? value : value.split(','))
      .map((name) => name.trim())
      .filter(Boolean);
    const known = VERDICTS.filter((verdict) => names.includes(verdict));
    if (names.every((name) => VERDICTS.some((verdict) => verdict === name))) {
      return known.length === 0 ? undefined : known;
    }
    context.addIssue({ code: 'custom', message: `must be of: ${VERDICTS.join(', ')}` });
    return z.NEVER;
  })
  .optional();
