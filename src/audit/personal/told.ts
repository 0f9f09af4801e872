/** How an erasure is told of in the record. */
export const ERASED = 'audit.erased';

// Enough to tell one commitment from all others of a record.
const DIGITS = 16;

/** The beginning of a commitment, by which an erasure names it. */
export const told = (commitment: string): string => commitment.slice(0, DIGITS);

/** What an event tells of erasures; nothing where it is none. */
export function toldIn({
  action,
  data,
}: {
  readonly action: string;
  readonly data: string;
}): readonly string[] {
  if (action !== ERASED) return [];
  const { commitments } = JSON.parse(data) as { readonly commitments?: unknown };
  return Array.isArray(commitments) ? commitments.map(String) : [];
}
