import { invalidArgument } from './s3-error.js';
import { encodeForm } from './uri.js';

/** A parameter like max-keys: at most, and by default, `most`. */
export function readLimit(query: ReadonlyMap<string, string>, name: string, most: number): number {
  const value = query.get(name);
  if (value === undefined || value === '') return most;
  if (!/^\d{1,10}$/.test(value) || Number(value) > 2 ** 31 - 1) {
    throw invalidArgument(name, value, `Argument ${name} must be an integer between 0 and 2147483647`);
  }
  return Math.min(Number(value), most);
}

/** What every listing of a bucket understands. */
export interface ListParameters {
  readonly prefix: string;
  readonly delimiter: string;
  readonly encodingType: 'url' | undefined;
  /** Writes a key, or a piece of one, as the client asked. */
  readonly encode: (text: string) => string;
}

export function readListParameters(query: ReadonlyMap<string, string>): ListParameters {
  const encodingType = query.get('encoding-type');
  if (encodingType !== undefined && encodingType !== 'url') {
    throw invalidArgument('encoding-type', encodingType, 'Invalid Encoding Method specified in Request');
  }
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    encodingType,
    encode: encodingType === 'url' ? encodeForm : (text) => text,
  };
}
