import { readFileSync } from 'node:fs';
import { CommandError } from './command-error.js';

/** A JSON object on the line, or in the file that `@` names. @throws CommandError naming the option. */
export function jsonObject(option: string, text: string): Record<string, unknown> {
  const isFile = text.startsWith('@');
  const json = isFile ? contentOf(option, text.slice(1)) : text;
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    throw new CommandError(
      `${option}: ${isFile ? text.slice(1) : 'this'} is no JSON (${(error as Error).message}). Quote it for your shell, or write it to a file and give ${option} @FILE.`,
      { cause: error },
    );
  }
  throw new CommandError(`${option}: must be a JSON object, as in '{"key": "value"}'.`);
}

function contentOf(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(`${option}: ${path} cannot be read: ${reasonOf(error as Error)}.`, {
      cause: error,
    });
  }
}

/** Without the path, which Node names once more. */
const reasonOf = ({ message }: Error): string => message.replace(/, \w+ '.*'$/s, '');
