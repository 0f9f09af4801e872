import { isDeepStrictEqual } from 'node:util';

/**
 * What a change changes, for the audit: each field as it was and as it is. Of something new: all that is said of it;
 * empty when nothing changes.
 */
export function changesBetween(
  before: Readonly<Record<string, unknown>> | undefined,
  after: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after)])];
  const changed = fields.filter((field) => !isDeepStrictEqual(before?.[field], after[field]));
  return Object.fromEntries(
    changed.map((field) => [
      field,
      before === undefined ? after[field] : { from: before[field] ?? null, to: after[field] ?? null },
    ]),
  );
}
