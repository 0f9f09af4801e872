import { CommandError } from './command-error.js';

/** Reads the value of an option that is a whole number. The reader throws a CommandError that names the option. */
export const wholeNumber =
  (option: string, min: number, max: number) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new CommandError(`${option}: "${text}" cannot be used. Give a whole number from ${min} to ${max}.`);
  };

/** A path or query made of what strangers named: every value is encoded, and what is undefined left out. */
export function query(path: string, values: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}
