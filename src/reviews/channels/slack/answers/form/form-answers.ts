import type { FieldProblem } from '../../../../../errors.js';
import type { Said } from '../said.js';
import type { FormField } from './form-field.js';
import { isoSecond } from './text-element.js';

/** What was filled in, in the schema's types, and what cannot be read, by the field's block. */
export interface FormAnswers {
  readonly form: Readonly<Record<string, unknown>>;
  readonly problems: Readonly<Record<string, string>>;
}

/** Reads the fields back. One that is left empty is left out; a box that is not ticked says no. */
export function formAnswers(fields: readonly FormField[], said: Said): FormAnswers {
  const entries: [string, unknown][] = [];
  const problems: Record<string, string> = {};
  for (const field of fields) {
    const answer = answerOf(field, said);
    if (answer instanceof Unreadable) problems[field.blockId] = answer.message;
    else if (answer !== undefined) entries.push([field.name, answer]);
  }
  return { form: Object.fromEntries(entries), problems };
}

/** What the form says before anybody touches it. */
export const untouched = (fields: readonly FormField[]): FormAnswers['form'] =>
  Object.fromEntries(
    fields.flatMap(({ name, initial }): [string, unknown][] =>
      initial === undefined ? [] : [[name, initial]],
    ),
  );

class Unreadable {
  constructor(readonly message: string) {}
}

function answerOf({ kind, blockId, options }: FormField, said: Said): unknown {
  switch (kind) {
    case 'text': {
      const text = said.text(blockId);
      return text === '' ? undefined : text;
    }
    case 'number':
    case 'integer':
      return numberOf(said.text(blockId).trim(), kind === 'integer');
    case 'tick':
      return said.choices(blockId).length > 0;
    case 'choice': {
      const choice = said.choice(blockId);
      return choice === undefined ? undefined : chosen(options, choice);
    }
    case 'choices': {
      const all = said.choices(blockId).map((choice) => chosen(options, choice));
      const unreadable = all.find((one) => one instanceof Unreadable);
      return all.length === 0 ? undefined : (unreadable ?? all);
    }
    case 'date':
      return said.date(blockId);
    case 'moment': {
      const at = said.moment(blockId);
      if (at === undefined) return undefined;
      return Math.abs(at) <= 8.64e15 ? isoSecond(at) : new Unreadable('Must be a time.');
    }
    default:
      return kind satisfies never;
  }
}

const chosen = (options: FormField['options'], choice: string): unknown =>
  /^\d{1,3}$/.test(choice) && Number(choice) < options.length
    ? options[Number(choice)]
    : new Unreadable('Must be one of the options.');

function numberOf(typed: string, isWhole: boolean): number | Unreadable | undefined {
  if (typed === '') return undefined;
  // Slack writes a comma where its reader's language does.
  const value = /^-?\d+([.,]\d+)?$/.test(typed) ? Number(typed.replace(',', '.')) : Number.NaN;
  if (!Number.isFinite(value)) return new Unreadable('Must be a number.');
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return new Unreadable('Must be a number that is not larger than 9007199254740991.');
  return isWhole && !Number.isInteger(value) ? new Unreadable('Must be a whole number.') : value;
}

/** What the server found wrong, at the field that it is about; `others` are about none of them. */
export function atFields(
  fields: readonly FormField[],
  problems: readonly FieldProblem[],
): { readonly errors: Readonly<Record<string, string>>; readonly others: readonly string[] } {
  const errors: Record<string, string> = {};
  const others: string[] = [];
  for (const { path, message } of problems) {
    const field = fields.find(({ name }) => pathsOf(name).includes(path)) ?? longest(fields, path);
    if (field === undefined) others.push(`${path}: ${message}`);
    else
      errors[field.blockId] = [errors[field.blockId], `It ${message}.`]
        .filter((part) => part !== undefined)
        .join(' ');
  }
  return { errors, others };
}

// As JSON Pointer writes a field, and as it is written where it is missing; with points for slashes, as the server does.
const pathsOf = (name: string): readonly string[] => [
  `form.${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
  `form.${name.replaceAll('/', '.')}`,
];

/** The field that what is named is a part of. */
const longest = (fields: readonly FormField[], path: string): FormField | undefined =>
  fields
    .filter(({ name }) => pathsOf(name).some((own) => path.startsWith(`${own}.`)))
    .sort((one, other) => other.name.length - one.name.length)[0];
