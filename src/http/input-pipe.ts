import {
  StandardSchemaValidationPipe,
  type ArgumentMetadata,
  type StandardSchemaValidationPipeOptions,
} from '@nestjs/common';
import { InvalidInput } from '../errors.js';

type Issues = Parameters<NonNullable<StandardSchemaValidationPipeOptions['exceptionFactory']>>[0];
type Path = NonNullable<Issues[number]['path']>;

/** What Nest's pipe found, on the way to who knows which argument it was. */
class Unfit extends Error {
  constructor(readonly issues: Issues) {
    super('unfit');
  }
}

/** Checks every argument that has a schema, and names the parameter or the place in the body that is wrong. */
export class InputPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => new Unfit(issues) });
  }

  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      throw error instanceof Unfit ? refusal(error.issues, metadata) : error;
    }
  }
}

function refusal(issues: Issues, { type, data }: ArgumentMetadata): InvalidInput {
  const problems = issues.map(({ path = [], message }) => ({
    // What has no name is wrong as a whole: the body, or everything after the question mark.
    path: pathOf(data === undefined ? path : [data, ...path]) || type,
    message: plainly(message),
  }));
  return new InvalidInput(problems.map(({ path, message }) => `${path}: ${message}`).join('; '), problems);
}

/** The schema's own words, as people say them. */
const plainly = (message: string): string => {
  const options = /^Invalid option: expected (?:one of )?(".*")$/.exec(message)?.[1];
  if (options !== undefined) return `must be one of: ${options.slice(1, -1).replaceAll('"|"', ', ')}`;
  return message === 'Invalid input: expected number, received NaN' ? 'must be a number' : message;
};

/** `a.b[0]` from the issue's path. */
const pathOf = (path: Path): string =>
  path
    .map((segment) => (typeof segment === 'object' ? segment.key : segment))
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
