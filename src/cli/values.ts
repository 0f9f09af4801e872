import { CommandError } from './command-error.js';

/** Reads the value of an option that is a whole number. The reader throws a CommandError that names the option. */
export const wholeNumber =
  (option: string, min: number, max: number) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new CommandError(`${option}: "${text}" cannot be used. Give a whole number from ${min} to ${max}.`);
  };

/** The parts of a list that is written by comma. */
export const listOf = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);

/** Reads `on` or `off`. @throws CommandError that names the option. */
export function isOn(option: string, value: string): boolean {
  if (value === 'on' || value === 'off') return value === 'on';
  throw new CommandError(`${option}: "${value}" cannot be used. Say on or off.`);
}

/**
 * What `--clear` unsets: null for each field of the API.
 *
 * @param fields by the name that is written, which is that of the option; the field's own name is understood too.
 * @throws CommandError for what cannot be unset.
 */
export function cleared(
  text: string | undefined,
  fields: Readonly<Record<string, string>>,
): Record<string, null> {
  return Object.fromEntries(
    listOf(text).map((name) => {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (field !== undefined) return [field, null];
      if (Object.values(fields).includes(name)) return [name, null];
      const known = Object.keys(fields).join(', ');
      throw new CommandError(`--clear: "${name}" cannot be unset. It can be: ${known}.`);
    }),
  );
}

/** A path or query made of what strangers named: every value is encoded, and what is undefined left out. */
export function query(path: string, values: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}
