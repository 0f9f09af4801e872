import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RuleSource } from './load.js';

/**
 * Reads the rule files that come with the product, in the order of their names.
 *
 * They stand beside this file; a compiled copy whose build did not carry them over finds them in the sources.
 */
export function builtInRules(): readonly RuleSource[] {
  const beside = new URL('./', import.meta.url);
  const sources = new URL('../../../../../src/tasks/scan/secrets/rules/', import.meta.url);
  const folder = existsSync(new URL('cloud.toml', beside)) ? beside : sources;
  return readdirSync(fileURLToPath(folder))
    .filter((name) => name.endsWith('.toml'))
    .sort()
    .map((name) => ({ name, toml: readFileSync(new URL(name, folder), 'utf8'), builtIn: true }));
}
