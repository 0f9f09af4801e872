import type { Pattern } from '../regex/pattern.js';
import type { VerifySpec } from './schema.js';

export type Severity = 'critical' | 'high' | 'medium' | 'low';
export type Confidence = 'high' | 'medium' | 'low';

/** A token format whose last characters check the others; a passing one is no coincidence. */
export type Checksum = 'crc32-base62';

export interface Allowlist {
  readonly description: string;
  readonly condition: 'OR' | 'AND';
  readonly regexTarget: 'secret' | 'match' | 'line';
  readonly regexes: readonly RegExp[];
  readonly paths: readonly RegExp[];
  readonly stopwords: readonly string[];
}

/** The parts of a text, some of them standing for random characters: `["ghp", "_", "{alnum:36}"]`. */
export type Example = readonly string[];

/** One rule as its file says it, checked and with its patterns parsed. */
export interface SecretRule {
  readonly id: string;
  readonly description: string;
  readonly provider: string;
  readonly severity: Severity;
  /** Confidence of a match that nothing speaks for or against. */
  readonly confidence: Confidence;
  readonly remediation: string;
  /** What to look for; undefined for a rule that judges a file by its path alone. */
  readonly pattern: Pattern | undefined;
  /** Lower case. At least one must stand near for the pattern to be tried; none means always. */
  readonly keywords: readonly string[];
  /** Shannon entropy in bits per character that the secret must exceed; 0 means no demand. */
  readonly entropy: number;
  /** 0 means the first capture that took part, or the whole match. */
  readonly secretGroup: number;
  readonly path: RegExp | undefined;
  readonly allowlists: readonly Allowlist[];
  readonly checksum: Checksum | undefined;
  /** How its provider is asked whether a secret is in use. */
  readonly verify: VerifySpec | undefined;
  /** A generic rule yields to any other that found the same bytes. */
  readonly generic: boolean;
  /** Texts that it finds something in, in parts; see `Examples` of the schema. For a rule without a pattern, names. */
  readonly examples: readonly Example[];
  /** Texts that it finds nothing in, though they come near. */
  readonly counterexamples: readonly Example[];
  /** Whether the rule came with the product. */
  readonly builtIn: boolean;
}

export interface SecretRuleSet {
  readonly rules: readonly SecretRule[];
  /** Applied to every finding of every rule. */
  readonly allowlists: readonly Allowlist[];
  /** What of the files has no meaning for uploaded objects, one sentence each. */
  readonly notes: readonly string[];
  /** SHA-256 (hex) over the rule files: the same digest means the same rules. */
  readonly digest: string;
}
