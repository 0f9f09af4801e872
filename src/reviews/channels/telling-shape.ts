import { z } from 'zod';
import type { Telling } from './channel.js';

const count = z.number().int().min(0);

const words = z.string().max(20_000).optional();

const Shape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('opened') }),
  z.object({
    kind: z.literal('assigned'),
    version: count,
    by: words,
    reason: words,
    staysWith: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('answered'), version: count, by: words, question: words, answer: words }),
  z.object({ kind: z.literal('reminder'), step: count }),
  z.object({ kind: z.literal('escalated'), step: count, loop: count, by: words, reason: words }),
  z.object({ kind: z.literal('renewed'), round: count }),
]);

/** A telling as outbox messages carry it. */
export const TellingShape = z.custom<Telling>((value) => Shape.safeParse(value).success);
