import { Refusal, type Json } from './refusal.js';

/** Arguments of a call as they came in: forms know only text, so lists and objects are JSON in it. */
export type Args = Record<string, string>;

const wrong = (name: string, what: string): Refusal =>
  Refusal.because('invalid_arguments', [`${what} [json-pointer:/${name}]`]);

/** Reads the arguments of one call, and refuses what is of the wrong kind as Slack does. */
export class Arguments {
  constructor(private readonly args: Args) {}

  has(name: string): boolean {
    return this.args[name] !== undefined;
  }

  text(name: string): string | undefined {
    return this.args[name];
  }

  required(name: string): string {
    const value = this.args[name];
    if (value === undefined || value === '') throw wrong(name, `missing required field: ${name}`);
    return value;
  }

  flag(name: string): boolean {
    const value = this.args[name];
    if (value === undefined) return false;
    if (value === 'true' || value === '1') return true;
    if (value === 'false' || value === '0') return false;
    throw wrong(name, 'must be a boolean');
  }

  /** A timestamp of a message, or a time in seconds. */
  moment(name: string): number | undefined {
    const value = this.args[name];
    if (value === undefined || value === '') return undefined;
    if (!/^\d+(\.\d+)?$/.test(value)) throw new Refusal(name === 'ts' ? 'invalid_ts' : `invalid_ts_${name}`);
    return Number(value);
  }

  /** How many items a page may hold. */
  limit(standard: number): number {
    const value = this.args['limit'];
    if (value === undefined) return standard;
    const limit = Number(value);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new Refusal('invalid_limit');
    return limit;
  }

  object(name: string): Json | undefined {
    const value = this.json(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw wrong(name, 'must be an object');
    return value as Json;
  }

  list(name: string): Json[] | undefined {
    const value = this.json(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.some((item) => typeof item !== 'object' || item === null))
      throw wrong(name, 'must be an array of objects');
    return value as Json[];
  }

  /** Blocks have an error code of their own when they cannot be read. */
  blocks(): Json[] | undefined {
    try {
      return this.list('blocks');
    } catch (error) {
      if (error instanceof Refusal) throw new Refusal('invalid_blocks_format', error.more);
      throw error;
    }
  }

  private json(name: string): unknown {
    const value = this.args[name];
    if (value === undefined) return undefined;
    try {
      return JSON.parse(value);
    } catch {
      throw wrong(name, 'is not JSON');
    }
  }
}

/** One page of a list. The cursor is the number of items before it, dressed up so that nobody counts on that. */
export function page<T>(
  items: readonly T[],
  args: Arguments,
  standard = 100,
): { items: T[]; metadata: Json; hasMore: boolean } {
  const cursor = args.text('cursor') ?? '';
  const from =
    cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64').toString('utf8').replace('from:', ''));
  if (!Number.isInteger(from)) throw new Refusal('invalid_cursor');
  const to = from + args.limit(standard);
  const hasMore = to < items.length;
  const next = hasMore ? Buffer.from(`from:${to}`).toString('base64') : '';
  return { items: items.slice(from, to), metadata: { next_cursor: next }, hasMore };
}
