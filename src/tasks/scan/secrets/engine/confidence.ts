import type { Confidence, SecretRule } from '../rules/rule.js';
import { hasValidChecksum } from './checksum.js';
import { entropyOf } from './entropy.js';

// Words that people write into a value that is no secret. `test` is not among them: live vendors' keys for their
// test systems carry it (sk_test_), and those do open something.
const PLACEHOLDER =
  /example|dummy|fake|sample|placeholder|changeme|change_me|redacted|notreal|not_real|your[-_]?(?:api|token|key|secret|password)|x{6}|X{6}|\*{4}|\.{4}|0{8}|1234567890|12345678|abcdefgh|abcd1234|deadbeef/i;
const PLACEHOLDERS = new RegExp(PLACEHOLDER.source, 'gi');
// What says nothing in a key over several lines, whoever wrote it.
const EMPTY_PARTS = /-----[^-]*-----|\s+|(.)\1{5,}/g;
const PLACEHOLDER_CONTEXT = /\b(?:example|dummy|fake|placeholder|not[ _-]?(?:a[ _-])?real)\b/i;

// Below this many bits per character a random token of 16 characters or more practically never falls.
const POOR_ENTROPY = 2.5;
const TELLING_LENGTH = 16;
// Where so much is left besides such a word, the word is a comment in a key, or chance.
const LONG_ENOUGH = 64;

/**
 * How sure we are that a match is a secret. Evidence moves the figure, it never drops a finding. A checksum settles it;
 * a secret that looks like a placeholder itself is a guess. What stands around it is the uploader's word: it lowers nothing
 * where the format cannot be mistaken, and elsewhere by one step.
 *
 * @param before what stands directly before the secret, on its line.
 */
export function confidenceOf(rule: SecretRule, secret: string, before: string): Confidence {
  if (rule.checksum === 'crc32-base62' && hasValidChecksum(secret)) return 'high';
  if (rule.checksum !== undefined) return 'low';
  if (isPlaceholder(secret)) return 'low';
  if (rule.confidence === 'medium' && PLACEHOLDER_CONTEXT.test(before)) return 'low';
  return rule.confidence;
}

function isPlaceholder(secret: string): boolean {
  if (secret.length >= TELLING_LENGTH && entropyOf(secret) < POOR_ENTROPY) return true;
  if (!PLACEHOLDER.test(secret)) return false;
  const rest = secret.replace(EMPTY_PARTS, '').replace(PLACEHOLDERS, '');
  return rest.length < LONG_ENOUGH || entropyOf(rest) < POOR_ENTROPY;
}
