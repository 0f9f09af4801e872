import { compileObject, referencesIn } from '../engine/decider/expressions.js';
import type { Json, JsonObject } from '../engine/model/json.js';
import type { Needs, Upload } from './match.js';

/** What a rule adds to its workflow's input, ready to be filled in. */
export interface InputMapping {
  readonly needs: Needs;
  /** What is found is data: an object named `${event.key}` stays a name. Unknown facts are null. */
  apply(upload: Upload, rule: string): JsonObject;
}

/** What every scan's input has already. */
export const RESERVED: readonly string[] = ['scanId', 'bucket', 'key', 'versionId', 'source'];

const factsOf = (upload: Upload): JsonObject => ({
  endpointId: upload.endpointId ?? null,
  bucket: upload.bucket,
  key: upload.key,
  versionId: upload.versionId ?? null,
  eTag: upload.eTag ?? null,
  sizeBytes: upload.sizeBytes ?? null,
  kind: upload.kind,
  source: upload.source ?? null,
  contentType: upload.contentType ?? null,
  tags: upload.tags ?? null,
});
const FACTS = Object.keys(factsOf({ bucket: '', key: '', kind: '' }));

/** Understands a mapping once, for many uploads. */
export function compileMapping(mapping: JsonObject): InputMapping {
  const template = compileObject(mapping);
  const fields = textsIn(mapping).flatMap((text) => referencesIn(text).map(({ field }) => field));
  return {
    needs: { type: fields.includes('contentType'), tags: fields.includes('tags') },
    apply: (upload, rule) =>
      template({
        read: (root) => {
          if (root === 'event') return factsOf(upload);
          return root === 'rule' ? { name: rule } : undefined;
        },
      }),
  };
}

export interface MappingProblem {
  /** Inside the mapping, as `a.b[0]`. */
  readonly path: string;
  readonly message: string;
}

/** Everything about a mapping that cannot work. */
export function mappingProblems(mapping: JsonObject): readonly MappingProblem[] {
  const problems: MappingProblem[] = RESERVED.filter((key) => Object.hasOwn(mapping, key)).map((path) => ({
    path,
    message: 'is what every scan gets; choose another name',
  }));
  walk(mapping, '', (text, path) => {
    for (const { source, root, field, problem } of referencesIn(text)) {
      const message = problemOf(root, field, problem);
      if (message !== undefined) problems.push({ path, message: `${source} ${message}` });
    }
  });
  return problems;
}

function problemOf(
  root: string | undefined,
  field: string | undefined,
  problem: string | undefined,
): string | undefined {
  if (problem !== undefined) return `cannot be read: ${problem}`;
  if (root === 'rule')
    return field === 'name' ? undefined : 'is not known: of the rule there is ${rule.name}';
  if (root !== 'event') return 'is not known: it must begin with ${event. or be ${rule.name}';
  if (field === undefined || FACTS.includes(field)) return undefined;
  return `is not known: an event has ${FACTS.join(', ')}`;
}

function textsIn(mapping: JsonObject): readonly string[] {
  const texts: string[] = [];
  walk(mapping, '', (text) => texts.push(text));
  return texts;
}

function walk(value: Json, path: string, visit: (text: string, path: string) => void): void {
  if (typeof value === 'string') visit(value, path);
  else if (Array.isArray(value)) {
    for (const [index, item] of (value as readonly Json[]).entries()) walk(item, `${path}[${index}]`, visit);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) walk(item, path === '' ? key : `${path}.${key}`, visit);
  }
}
