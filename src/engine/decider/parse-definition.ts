import { InvalidInput } from '../../errors.js';
import type { FieldProblem } from '../../errors.js';
import { WorkflowDef } from '../model/definition.js';
import { formatPath } from './json-path.js';
import { MAX_PAYLOAD_BYTES } from '../model/payload-limits.js';
import { isWithin } from './json-size.js';
import { validateDefinition } from './validate.js';

// Fifty levels of nested tasks, three levels of JSON each, and inputs inside the innermost.
const MAX_JSON_DEPTH = 400;

/** A workflow definition from what somebody sent or wrote. Throws InvalidInput with every problem and its JSON path. */
export function parseWorkflowDef(json: unknown): WorkflowDef {
  if (!isWithin(json, MAX_PAYLOAD_BYTES, MAX_JSON_DEPTH)) {
    const message = `is larger than ${MAX_PAYLOAD_BYTES / 1024} KB or nested too deeply`;
    throw new InvalidInput(`The definition ${message}`, [{ path: '', message }]);
  }
  const parsed = WorkflowDef.safeParse(withoutNulls(json, DEFINITION));
  const problems: readonly FieldProblem[] = parsed.success
    ? validateDefinition(parsed.data)
    : parsed.error.issues.map(({ path, message }) => ({ path: formatPath(path), message }));
  if (parsed.success && problems.length === 0) return parsed.data;
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  const at = first?.path ? `${first.path}: ` : '';
  throw new InvalidInput(
    `The workflow definition cannot be used. ${at}${first?.message ?? ''}${more}`,
    problems,
  );
}

/** Which properties of an object hold further objects whose nulls count as absent; data keeps its nulls. */
interface Shape {
  readonly [property: string]: 'plain' | (() => Shape);
}

const TASK: Shape = {
  decisionCases: () => CASES,
  defaultCase: () => TASK,
  forkTasks: () => TASK,
  loopOver: () => TASK,
  subWorkflowParam: () => SUB_WORKFLOW,
  taskDefinition: 'plain',
};
const SUB_WORKFLOW: Shape = { workflowDefinition: () => DEFINITION };
const CASES: Shape = { '*': () => TASK };
const DEFINITION: Shape = { tasks: () => TASK };

/** Conductor's own exports write absent properties as null. */
function withoutNulls(value: unknown, shape: Shape): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutNulls(item, shape));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(
    kept.map(([key, item]: [string, unknown]) => {
      const inner = Object.hasOwn(shape, key) ? shape[key] : shape['*'];
      if (inner === undefined) return [key, item];
      return [key, withoutNulls(item, inner === 'plain' ? {} : inner())];
    }),
  );
}
