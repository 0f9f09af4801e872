import type { Confidence, SecretRule } from '../rules/rule.js';
import { hasValidChecksum } from './checksum.js';
import { entropyOf } from './entropy.js';

// Words that people write into a value that is no secret. `test` is not among them: live vendors' keys for their
// test systems carry it (sk_test_), and those do open something.
const PLACEHOLDER =
  /example|dummy|fake|sample|placeholder|changeme|change_me|redacted|notreal|not_real|your[-_]?(?:api|token|key|secret|password)|x{6}|X{6}|\*{4}|\.{4}|0{8}|1234567890|12345678|abcdefgh|abcd1234|deadbeef/i;
const PLACEHOLDER_CONTEXT = /\b(?:example|dummy|fake|placeholder|not[ _-]?(?:a[ _-])?real)\b/i;

// Below this many bits per character a random token of 16 characters or more practically never falls.
const POOR_ENTROPY = 2.5;
const TELLING_LENGTH = 16;

/**
 * How sure we are that a match is a secret. Evidence moves the figure, it never drops a finding: a checksum
 * settles it, words such as "example" in or closely before the value and a poor spread of characters lower it.
 */
export function confidenceOf(rule: SecretRule, secret: string, before: string): Confidence {
  if (rule.checksum === 'crc32-base62' && hasValidChecksum(secret)) return 'high';
  if (rule.checksum !== undefined) return 'low';
  if (PLACEHOLDER.test(secret) || PLACEHOLDER_CONTEXT.test(before)) return 'low';
  if (secret.length >= TELLING_LENGTH && entropyOf(secret) < POOR_ENTROPY) return 'low';
  return rule.confidence;
}
