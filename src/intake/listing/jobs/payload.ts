import type { z } from 'zod';
import { InvalidInput } from '../../../errors.js';

/** A schedule's payload, checked. @throws InvalidInput naming the place, as `payload.bucket`. */
export function payloadOf<T extends z.ZodType>(schema: T, payload: unknown): z.infer<T> {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => ({
    path: ['payload', ...path].join('.'),
    message,
  }));
  throw new InvalidInput(problems.map(({ path, message }) => `${path}: ${message}`).join('; '), problems);
}
