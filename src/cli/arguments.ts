import { readFileSync } from 'node:fs';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { CommandError } from './command-error.js';

/** What was asked for on the command line. */
export type Invocation =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'start';
      readonly name: string;
      readonly version: number | undefined;
      readonly input: unknown;
      readonly follow: boolean;
    }
  | { readonly kind: 'show' | 'why'; readonly id: string; readonly json: boolean }
  | { readonly kind: 'follow' | 'pause' | 'resume' | 'retry'; readonly id: string }
  | { readonly kind: 'terminate'; readonly id: string; readonly reason: string };

export const USAGE = `sallyport: starts workflows and shows how they fare

  sallyport start NAME [--version N] [--input JSON|@FILE] [--follow]
  sallyport show ID [--json]
  sallyport follow ID             until it ends; exit code 0: completed, 1: ended otherwise
  sallyport why ID [--json]       why it is not moving
  sallyport terminate ID [--reason TEXT]
  sallyport pause|resume|retry ID

SALLYPORT_URL      the service (http://127.0.0.1:8080)
SALLYPORT_API_KEY  keyId:keySecret; on the service's own machine it is found in
                   .sallyport/credentials.json (SALLYPORT_HOME names another folder)
NO_COLOR           set: no colours
`;

const OPTIONS: Readonly<Record<string, ParseArgsConfig['options']>> = {
  start: { version: { type: 'string' }, input: { type: 'string' }, follow: { type: 'boolean' } },
  show: { json: { type: 'boolean' } },
  terminate: { reason: { type: 'string' } },
  follow: {},
  why: { json: { type: 'boolean' } },
  pause: {},
  resume: {},
  retry: {},
};

/** @throws CommandError that says what is wrong and how it is written. */
export function parseArguments(args: readonly string[]): Invocation {
  const [command, ...rest] = args;
  if (command === undefined || ['help', '--help', '-h'].includes(command)) return { kind: 'help' };
  const options = Object.hasOwn(OPTIONS, command) ? OPTIONS[command] : undefined;
  if (options === undefined) throw new CommandError(`There is no command "${command}".\n\n${USAGE}`);
  const { values, positionals } = parsed(command, rest, options);
  const [subject] = positionals;
  const what = command === 'start' ? 'NAME of a workflow' : 'ID of a workflow';
  if (subject === undefined || subject.trim() === '') {
    throw new CommandError(`${command}: the ${what} is missing or empty. See: sallyport help`);
  }
  if (positionals.length > 1) {
    throw new CommandError(`${command} takes one ${what}. See: sallyport help`);
  }
  switch (command) {
    case 'start': {
      const version = values['version'] === undefined ? undefined : versionOf(String(values['version']));
      const input = values['input'] === undefined ? {} : inputOf(String(values['input']));
      return { kind: 'start', name: subject, version, input, follow: values['follow'] === true };
    }
    case 'show':
    case 'why':
      return { kind: command, id: subject, json: values['json'] === true };
    case 'terminate': {
      const reason = values['reason'];
      return {
        kind: 'terminate',
        id: subject,
        reason: typeof reason === 'string' ? reason : 'terminated from the command line',
      };
    }
    default:
      return { kind: command as 'follow', id: subject };
  }
}

function parsed(command: string, args: readonly string[], options: ParseArgsConfig['options']) {
  try {
    return parseArgs({ args: [...args], options: options ?? {}, allowPositionals: true, strict: true });
  } catch (error) {
    throw new CommandError(`${command}: ${(error as Error).message}. See: sallyport help`, { cause: error });
  }
}

function versionOf(text: string): number {
  const version = Number(text);
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new CommandError(`--version: "${text}" is no version. Give a whole number from 1.`);
  }
  return version;
}

/** JSON on the line, or the file that `@` names. */
function inputOf(text: string): unknown {
  const isFile = text.startsWith('@');
  const json = isFile ? contentOf(text.slice(1)) : text;
  try {
    const input: unknown = JSON.parse(json);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  } catch (error) {
    throw new CommandError(
      `--input: ${isFile ? text.slice(1) : 'this'} is no JSON (${(error as Error).message}). Quote it for your shell, or write it to a file and give --input @FILE.`,
      { cause: error },
    );
  }
  throw new CommandError(`--input: must be a JSON object, as in '{"key": "value"}'.`);
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(`--input: ${path} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}
