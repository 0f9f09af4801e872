import { createContext, Script } from 'node:vm';
import { Ajv, type ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { InvalidInput } from '../errors.js';
import type { ReviewCommand } from './rules/command.js';
import type { Policy } from './rules/policy.js';

/*
 * Forms of questions, by JSON Schema 2020-12, or draft-07 where the schema says so. Schemas come from definitions: they
 * load nothing, are bounded in size, and a pattern of theirs that runs away is stopped.
 */

const MAX_SCHEMA_CHARACTERS = 64 * 1024;
const MAX_FORM_CHARACTERS = 64 * 1024;
const PATTERNS_MS = 250;

type Schema = NonNullable<Policy['form']>;

/** What is wrong with a form's schema; undefined when it can be used. */
export function schemaFault(schema: Schema): string | undefined {
  const length = JSON.stringify(schema).length;
  if (length > MAX_SCHEMA_CHARACTERS)
    return `has ${length} characters of JSON, more than ${MAX_SCHEMA_CHARACTERS}`;
  try {
    compile(schema);
    return undefined;
  } catch (error) {
    return `is no JSON Schema that can be used: ${(error as Error).message.slice(0, 500)}`;
  }
}

/**
 * Checks what was filled in. An outcome that refuses needs no form; what is filled in with it is checked all the same.
 *
 * @throws InvalidInput naming each field.
 */
export function refuseForm(policy: Policy, command: ReviewCommand & { kind: 'decide' }): void {
  const { form: schema } = policy;
  const { form, outcome } = command;
  if (schema === undefined) {
    if (policy.asOrkes === true) return refuseSize(form);
    if (form !== undefined) throw InvalidInput.field('form', 'this question has no form; leave it out');
    return;
  }
  if (form === undefined && policy.rejecting.includes(outcome)) return;
  refuseSize(form);
  const validate = compile(schema);
  if (validate(form ?? {})) return;
  const problems = (validate.errors ?? []).slice(0, 20).map(problemOf);
  const said = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
  // Mail and chat have no form, and whoever answers there must know where there is one.
  throw new InvalidInput(
    form === undefined ? `This answer needs its form filled in, on the web: ${said}` : said,
    problems,
  );
}

/** @throws InvalidInput for more than is kept. */
export function refuseSize(form: Readonly<Record<string, unknown>> | undefined): void {
  if (JSON.stringify(form ?? {}).length > MAX_FORM_CHARACTERS)
    throw InvalidInput.field('form', `must be at most ${MAX_FORM_CHARACTERS} characters of JSON`);
}

/** `form.field: must be …`, with the field that is missing named too. */
function problemOf({ instancePath, keyword, params, message }: ErrorObject): {
  path: string;
  message: string;
} {
  const missing =
    keyword === 'required' ? `/${String((params as { missingProperty?: unknown }).missingProperty)}` : '';
  const path = `form${`${instancePath}${missing}`.replaceAll('/', '.')}`;
  return { path, message: missing === '' ? (message ?? 'is not valid') : 'is needed' };
}

function compile(schema: Schema) {
  let leftMs = PATTERNS_MS;
  /** A pattern that is given up after a moment: then the text does not match, and the form is refused. */
  const bounded = (
    pattern: string,
    flags: string,
  ): { test: (text: string) => boolean; toString: () => string } => {
    // Made here already, so that a wrong pattern is told when the question opens.
    const sandbox = createContext({ regex: new RegExp(pattern, flags), text: '' });
    return {
      test: (text) => {
        const began = performance.now();
        sandbox['text'] = text;
        try {
          return leftMs >= 1 && TEST.runInContext(sandbox, { timeout: Math.ceil(leftMs) }) === true;
        } catch (error) {
          if ((error as { code?: string }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
          throw error;
        } finally {
          leftMs -= performance.now() - began;
        }
      },
      // By this ajv tells one pattern from another.
      toString: () => String(sandbox['regex']),
    };
  };
  const Validator = DRAFT_07.test(String(schema['$schema'])) ? Ajv : Ajv2020;
  const validate = new Validator({
    strict: false,
    allErrors: true,
    validateFormats: false,
    // Nothing of one schema is left for another.
    addUsedSchema: false,
    code: { regExp: Object.assign(bounded, { code: 'bounded' }) },
  }).compile(schema);
  // What checking the schema itself took is not the form's.
  leftMs = PATTERNS_MS;
  return validate;
}

// As Orkes' forms say, with a number sign at its end or without.
const DRAFT_07 = /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/;
const TEST = new Script('regex.test(text)');
