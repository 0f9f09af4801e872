import { z } from 'zod';
import { ACCESS_ROLES, type AccessRole } from './principal.js';

// What cannot be seen (controls, directions, joiners), line ends, and what no Unicode version has given a meaning.
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * What people, groups and keys may be called: one line of signs that everybody sees the same. Taken in one Unicode form,
 * so that the same name written in another way is the same name.
 */
export const displayed = (max: number) =>
  z
    .string()
    .max(4 * max, `must be at most ${max} characters`)
    .transform((text) => text.normalize('NFKC'))
    .pipe(
      z
        .string()
        .min(1, 'must not be empty')
        .max(max, `must be at most ${max} characters`)
        .refine((text) => !UNSEEN.test(text), 'must be one line, without control or invisible characters')
        .refine((text) => text.trim() === text, 'must not begin or end with a space'),
    );

export const Email = z
  .string()
  .max(254)
  .regex(/^[^\s@<>()",;:\\]{1,64}@[A-Za-z0-9.-]{1,190}$/, 'must be an address, as anna@example.com');

const SPLIT = 'engineer';

/** @returns each once, in the order of {@link ACCESS_ROLES}. Names the new roles where one of an older version is sent. */
export const RoleNames = z
  .array(
    z.string().superRefine((name, context) => {
      if ((ACCESS_ROLES as readonly string[]).includes(name)) return;
      const message =
        name === SPLIT
          ? 'the role engineer was split into author (definitions, rules, policies) and operator (executions, backlog, endpoints, replays); send one of them, or both'
          : `must be one of: ${ACCESS_ROLES.join(', ')}`;
      context.addIssue({ code: 'custom', message });
    }),
  )
  .max(20)
  .transform((names): AccessRole[] => ACCESS_ROLES.filter((role) => names.includes(role)));
