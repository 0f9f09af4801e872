import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the program is that verifies an extract or a bundle with Node alone. */
export function verifierFile(): string {
  const beside = new URL('./verify.mjs', import.meta.url);
  const source = new URL('../../../../src/audit/export/verify.mjs', import.meta.url);
  return fileURLToPath(existsSync(beside) ? beside : source);
}

/** The same as its text: for whoever trusts nothing else of ours. */
export const verifierText = (): string => readFileSync(verifierFile(), 'utf8');
