import type { FieldProblem } from '../../errors.js';
import type { Json } from '../model/json.js';
import { referencesIn } from './expressions.js';
import type { Reference } from './expressions.js';
import { pathKey } from './json-path.js';
import { WORKFLOW_FIELDS } from './workflow-fields.js';

/** Names that an expression may begin with and no task may have. */
export const RESERVED_ROOTS: ReadonlySet<string> = new Set(['workflow', 'CPEWF_TASK_ID']);

const FIELDS: ReadonlySet<string> = new Set([...WORKFLOW_FIELDS, 'secrets']);

/** A definition's tasks by reference name: in how many loops each is. */
export type References = ReadonlyMap<string, number>;

/** What is wrong with the expressions in a part of a definition. */
export function checkReferences(value: Json, path: string, refs: References): FieldProblem[] {
  if (typeof value === 'string') {
    if (!value.includes('${')) return [];
    return referencesIn(value).flatMap((reference) => {
      const message = problemOf(reference, refs);
      return message === undefined ? [] : [{ path, message: `${reference.source}: ${message}` }];
    });
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, item]) =>
    checkReferences(item, `${path}${Array.isArray(value) ? `[${key}]` : pathKey(key)}`, refs),
  );
}

/** One iteration's row of a task in loops: `name__2`, `name__2__3`. */
const ITERATION = /^(.+?)((?:__[1-9]\d{0,8})+)$/;

const isIteration = ([, name = '', path = '']: RegExpExecArray, refs: References): boolean =>
  refs.get(name) === path.split('__').length - 1;

function problemOf({ problem, root, field }: Reference, refs: References): string | undefined {
  if (problem !== undefined || root === undefined) return problem;
  if (root === 'workflow') {
    if (field === undefined || FIELDS.has(field)) return undefined;
    if (field === 'env') return 'workflow.env is not supported yet';
    return `a workflow has no "${field}"; there are ${[...FIELDS].join(', ')}`;
  }
  if (RESERVED_ROOTS.has(root) || refs.has(root)) return undefined;
  const iteration = ITERATION.exec(root);
  if (iteration !== null && isIteration(iteration, refs)) return undefined;
  return `no task has the reference name "${root}"`;
}
