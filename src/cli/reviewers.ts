import type { Cli } from './cli.js';
import { CommandError } from './command-error.js';

interface Reviewer {
  readonly id: string;
  readonly name: string;
}

/** The id of somebody who may decide, by their name or id. @throws CommandError for nobody, and for several of one name. */
export async function reviewerId(cli: Cli, wanted: string): Promise<string> {
  const { items } = await cli.client.call<{ readonly items: readonly Reviewer[] }>(
    'GET',
    '/api/v1/reviews/reviewers',
  );
  if (items.some(({ id }) => id === wanted)) return wanted;
  const lower = wanted.toLowerCase();
  const found = items.filter(({ name }) => name.toLowerCase() === lower);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only.id;
  throw new CommandError(
    only === undefined
      ? `${wanted}: nobody of this name or id may decide. Those who may: ${items.map(({ name }) => name).join(', ')}.`
      : `${wanted}: several have this name. Give the id: ${found.map(({ id }) => id).join(', ')}.`,
  );
}
