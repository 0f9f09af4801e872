import type { Policy } from '../../../../rules/policy.js';
import { Undrawable } from './drawn.js';
import { formField, type FormField } from './form-field.js';

// Slack takes a hundred blocks; the question and the reason need some of them.
const MOST_FIELDS = 90;
// Slack takes a view of 250 kB, and brings all of it back with the answers, encoded for a form.
const MOST_BYTES = 100_000;

/** A question's form as fields of a modal, or why it cannot be answered there. */
export type FormInputs =
  | { readonly fits: true; readonly fields: readonly FormField[] }
  | { readonly fits: false; readonly why: string };

/** @param isNeeded what the schema requires has to be filled in; an outcome that refuses takes the form as far as it goes. */
export function formInputs(schema: NonNullable<Policy['form']>, isNeeded: boolean): FormInputs {
  const properties = schema['properties'] ?? {};
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
  if (typeof properties !== 'object' || properties === null) return tooMuch('it has no properties');
  const entries = Object.entries(properties as Record<string, unknown>);
  if (entries.length > MOST_FIELDS)
    return tooMuch(`it has ${entries.length} fields, more than ${MOST_FIELDS}`);
  const missing = required.find((name) => !Object.hasOwn(properties, name));
  if (missing !== undefined) return tooMuch(`it needs “${missing}”, which it does not describe`);
  const fields: FormField[] = [];
  for (const [index, [name, property]] of entries.entries()) {
    try {
      fields.push(formField(name, property, `form.${index}`, isNeeded && required.includes(name)));
    } catch (error) {
      if (!(error instanceof Undrawable)) throw error;
      return tooMuch(`“${name}” ${error.message}`);
    }
  }
  const bytes = Buffer.byteLength(JSON.stringify(fields.map(({ block }) => block)));
  return bytes > MOST_BYTES ? tooMuch('it is too long') : { fits: true, fields };
}

const tooMuch = (why: string): FormInputs => ({ fits: false, why });
