import { z } from 'zod';
import { displayed, RoleNames } from '../names.js';
import { ACCESS_ROLES, type AccessRole } from '../principal.js';

const Given = z.strictObject({
  groups: z.array(displayed(100)).max(100).default([]),
  roles: RoleNames.default([]),
});

const WholeMap = z.record(z.string().min(1).max(500), Given);

/** What the provider's groups give here, by their names there. */
export type GroupMap = Readonly<Record<string, z.infer<typeof Given>>>;

/** As in `{"sec-ops": {"groups": ["Night shift"], "roles": ["analyst"]}}`. */
export const groupMap = z
  .string()
  .default('{}')
  .transform((text, context): GroupMap => {
    const problem = (message: string): typeof z.NEVER => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      return problem(
        `must be JSON, as {"sec-ops": {"groups": ["Night shift"], "roles": ["analyst"]}}: ${(error as Error).message}`,
      );
    }
    const parsed = WholeMap.safeParse(json);
    if (parsed.success) return parsed.data;
    const [first] = parsed.error.issues;
    return problem(`${first?.path.join('.') ?? ''}: ${first?.message ?? 'is wrong'}`.replace(/^: /, ''));
  });

/** What somebody who is in these groups there gets here. */
export function givenBy(
  map: GroupMap,
  providerGroups: readonly string[],
): { readonly groups: readonly string[]; readonly roles: readonly AccessRole[] } {
  const given = providerGroups.flatMap((name) => (Object.hasOwn(map, name) ? [map[name]] : []));
  const roles = new Set(given.flatMap((one) => one?.roles ?? []));
  return {
    groups: [...new Set(given.flatMap((one) => one?.groups ?? []))],
    roles: ACCESS_ROLES.filter((role) => roles.has(role)),
  };
}
