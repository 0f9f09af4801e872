import { existsSync, readFileSync } from 'node:fs';

/** The program that verifies an extract, as its text: for whoever trusts nothing else of ours. */
export function verifierText(): string {
  const beside = new URL('./verify.mjs', import.meta.url);
  const source = new URL('../../../../src/audit/export/verify.mjs', import.meta.url);
  return readFileSync(existsSync(beside) ? beside : source, 'utf8');
}
