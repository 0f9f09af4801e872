import { readFileSync } from 'node:fs';
import type { Cli } from './cli.js';
import { CommandError } from './command-error.js';
import { query } from './values.js';

interface Named {
  readonly id: string;
  readonly name: string;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
}

/** All of a list of accounts, which the service keeps to some thousands. */
export async function allOf<T>(
  cli: Cli,
  path: string,
  filters: Readonly<Record<string, string | undefined>> = {},
): Promise<readonly T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<T> = await cli.client.call<Page<T>>(
      'GET',
      query(path, { ...filters, limit: 500, cursor }),
    );
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return items;
}

/** The one of a list that is meant by a name or an id. @throws CommandError */
export async function named<T extends Named>(cli: Cli, path: string, wanted: string): Promise<T> {
  const all = await cli.client.call<Page<T>>('GET', query(path, { limit: 500 }));
  const items = all.nextCursor === undefined ? all.items : await allOf<T>(cli, path);
  const lower = wanted.toLowerCase();
  const found = items.find(({ id, name }) => id === wanted || name.toLowerCase() === lower);
  if (found === undefined)
    throw new CommandError(`${wanted}: there is none of this name or id. The list shows who there is.`);
  return found;
}

// Far more than the longest password.
const MAX_BYTES = 4_096;

/** The first line of a file, `-` for what is typed or piped in: arguments are seen by everybody on the machine. */
export function passwordIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandError(
      `${(error as Error).message}. Name a file that you may read, or - for the input.`,
      {
        cause: error,
      },
    );
  }
  const [line = ''] = text.slice(0, MAX_BYTES).split(/\r?\n/, 1);
  if (line === '') throw new CommandError(`${file}: holds no password in its first line.`);
  return line;
}
