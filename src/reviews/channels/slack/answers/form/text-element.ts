import { INPUT_ACTION } from '../../block-kit.js';
import { Undrawable, type Drawn, type Property } from './drawn.js';

// Slack's limit of a text that is typed.
const LONGEST_TEXT = 3000;
// A text that may be longer than this gets room for several lines.
const ONE_LINE = 200;
const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

/** A text, or what JSON Schema takes for one by its format. */
export function textElement(property: Property): Drawn {
  const { format } = property;
  const initial = typeof property['default'] === 'string' ? property['default'].toWellFormed() : undefined;
  const common = { action_id: INPUT_ACTION };
  const given =
    initial === undefined || initial === '' || initial.length > LONGEST_TEXT ? undefined : initial;
  const value = given === undefined ? {} : { initial_value: given };
  switch (format) {
    case 'password':
      throw new Undrawable('asks for a secret, which does not belong in Slack');
    case 'date': {
      const day = initial !== undefined && DATE.test(initial) ? initial : undefined;
      const picked = day === undefined ? {} : { initial_date: day };
      return { kind: 'date', initial: day, element: { type: 'datepicker', ...common, ...picked } };
    }
    case 'date-time':
      return { kind: 'moment', ...momentElement(initial) };
    case 'email':
    case 'idn-email':
      return { kind: 'text', initial: given, element: { type: 'email_text_input', ...common, ...value } };
    case 'uri':
    case 'iri':
    case 'url':
      return { kind: 'text', initial: given, element: { type: 'url_text_input', ...common, ...value } };
    default:
      return plainText(property, given);
  }
}

function momentElement(initial: string | undefined): Omit<Drawn, 'kind'> {
  const seconds = Math.floor(Date.parse(initial ?? '') / 1000);
  // Slack takes ten digits.
  const fits = seconds >= 1_000_000_000 && seconds <= 9_999_999_999;
  return {
    initial: fits ? isoSecond(seconds * 1000) : undefined,
    element: {
      type: 'datetimepicker',
      action_id: INPUT_ACTION,
      ...(fits ? { initial_date_time: seconds } : {}),
    },
  };
}

/** `2026-11-23T09:00:00Z`. */
export const isoSecond = (at: number): string => new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');

function plainText(property: Property, initial: string | undefined): Drawn {
  const min = countOf(property['minLength']) ?? 0;
  const max = Math.min(countOf(property['maxLength']) ?? LONGEST_TEXT, LONGEST_TEXT);
  if (min > LONGEST_TEXT)
    throw new Undrawable(`asks for a text of ${min} characters, and Slack takes ${LONGEST_TEXT}`);
  if (min > max || max === 0) throw new Undrawable('takes no text');
  const multiline =
    Number(property['maxLength'] ?? 0) > ONE_LINE ||
    property['format'] === 'textarea' ||
    property['x-multiline'] === true;
  const fits = initial !== undefined && initial.length >= min && initial.length <= max;
  return {
    kind: 'text',
    initial: fits ? initial : undefined,
    element: {
      type: 'plain_text_input',
      action_id: INPUT_ACTION,
      max_length: max,
      ...(min === 0 ? {} : { min_length: min }),
      ...(multiline ? { multiline } : {}),
      ...(fits ? { initial_value: initial } : {}),
    },
  };
}

const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.ceil(value) : undefined;
