import { z } from 'zod';
import type { Telling } from './channel.js';

const count = z.number().int().min(0);

const Shape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('opened') }),
  z.object({ kind: z.enum(['assigned', 'answered']), version: count }),
  z.object({ kind: z.literal('reminder'), step: count }),
  z.object({ kind: z.literal('escalated'), step: count, loop: count }),
  z.object({ kind: z.literal('renewed'), round: count }),
]);

/** A telling as outbox messages carry it. */
export const TellingShape = z.custom<Telling>((value) => Shape.safeParse(value).success);
