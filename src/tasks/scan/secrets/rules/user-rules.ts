import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { RuleError, messageOf } from '../errors.js';
import type { RuleSource } from './load.js';
import { RulesFile, withKnownSpellings } from './schema.js';

// gitleaks follows two; nobody's chain is longer than this but for a loop.
const MAX_EXTENDED = 8;

/**
 * Reads a user's rule file and the files that it extends (`extend.path`, relative to the file that says it).
 *
 * @throws RuleError when an extended file cannot be read, the error of `read` when the file itself cannot.
 */
export function readUserRules(
  path: string,
  read: (path: string) => string = (name) => readFileSync(name, 'utf8'),
): RuleSource {
  return withBase({ name: path, toml: read(path) }, [resolve(path)], read);
}

function withBase(source: RuleSource, chain: readonly string[], read: (path: string) => string): RuleSource {
  const extended = extendedBy(source.toml);
  if (extended === undefined) return source;
  const path = resolve(dirname(chain.at(-1)!), extended);
  const refuse = (message: string, cause?: unknown): RuleError =>
    new RuleError(source.name, undefined, 'extend.path', message, { cause });
  if (chain.includes(path)) throw refuse(`${extended} extends this file in turn`);
  if (chain.length > MAX_EXTENDED) throw refuse(`more than ${MAX_EXTENDED} files extend each other`);
  let toml: string;
  try {
    toml = read(path);
  } catch (error) {
    throw refuse(`${path} cannot be read: ${messageOf(error)}`, error);
  }
  return { ...source, base: withBase({ name: path, toml }, [...chain, path], read) };
}

/** What a file says it extends. A file that cannot be used says so when it is loaded, and not here. */
function extendedBy(toml: string): string | undefined {
  try {
    return RulesFile.pick({ extend: true }).safeParse(withKnownSpellings(parse(toml))).data?.extend?.path;
  } catch {
    return undefined;
  }
}
