import type { z } from 'zod';

type Path = readonly PropertyKey[];

/**
 * A definition as it was stored, perhaps before a number in it had a maximum: what is larger is read as the largest.
 * Refusing it would take every definition from the service, and nobody could mend this one.
 */
export function readStored<T>(schema: z.ZodType<T>, stored: unknown): T {
  const first = schema.safeParse(stored);
  if (first.success) return first.data;
  const bounded = structuredClone(stored);
  for (const { path, maximum } of tooLarge(first.error.issues, [])) put(bounded, path, maximum);
  return schema.parse(bounded);
}

function tooLarge(
  issues: readonly z.core.$ZodIssue[],
  above: Path,
): { readonly path: Path; readonly maximum: number }[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path];
    // Of a union's problems, only those of the branch that was meant are about numbers.
    if (issue.code === 'invalid_union') return issue.errors.flatMap((errors) => tooLarge(errors, path));
    const isNumber = issue.code === 'too_big' && issue.origin === 'number';
    return isNumber ? [{ path, maximum: Number(issue.maximum) }] : [];
  });
}

function put(value: unknown, path: Path, leaf: number): void {
  let holder = value as Record<PropertyKey, unknown>;
  for (const key of path.slice(0, -1)) holder = holder[key] as Record<PropertyKey, unknown>;
  holder[path.at(-1) ?? ''] = leaf;
}
