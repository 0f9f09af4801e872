import { z } from 'zod';
import type { Normalised, RejectedEvent } from '../s3-event.js';

/** One shape of message. A new source is one file with one of these, and its line in `normalise.ts`. */
export interface EventSource {
  /** Told from the message alone, never from configuration. */
  recognises(message: Readonly<Record<string, unknown>>): boolean;
  read(message: Readonly<Record<string, unknown>>): Normalised;
}

export const nothing: Normalised = { events: [], rejects: [], ignored: 0, isTest: false };

export const reject = (parts: RejectedEvent): Normalised => ({ ...nothing, rejects: [parts] });

export const combined = (parts: readonly Normalised[]): Normalised => ({
  events: parts.flatMap((part) => part.events),
  rejects: parts.flatMap((part) => part.rejects),
  ignored: parts.reduce((sum, part) => sum + part.ignored, 0),
  isTest: parts.some((part) => part.isTest),
});

/** Text that can be stored and is no longer than S3 ever makes it. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((s) => !s.includes('\u0000') && s.isWellFormed(), 'must not contain NUL or lone surrogates');

/** The same, where null and the empty text mean that the source says nothing. */
export const maybeText = (max: number) =>
  text(max)
    .nullish()
    .transform((value) => (value === null || value === '' ? undefined : value));

/** `a.b[0]` below `root`. */
export function pathOf(root: string, path: readonly PropertyKey[]): string {
  const below = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return `${root}${below}`.replace(/^\./, '');
}

/** The first thing that is wrong, as a reject. */
export function rejectIssues(error: z.ZodError, root: string, raw: unknown): Normalised {
  const [issue] = error.issues;
  const path = pathOf(root, issue?.path ?? []);
  return reject({ reason: 'invalid_event', path, message: issue?.message ?? 'cannot be used', raw });
}

export const MAX_EVENTS = 1000;

export const unquoted = (eTag: string | undefined): string | undefined => eTag?.replace(/^"(.*)"$/, '$1');

/** Milliseconds since the epoch; undefined for text that is no time. */
export function instantOf(time: string | undefined): number | undefined {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? undefined : at;
}
