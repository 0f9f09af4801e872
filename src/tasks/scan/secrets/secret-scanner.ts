import type { Key } from '../../../access/keyring.js';
import { InvalidInput } from '../../../errors.js';
import { ByteScan } from './engine/byte-scan.js';
import type { ScanSettings } from './engine/byte-scan.js';
import { compileRules } from './engine/compile.js';
import type { SecretScan, SecretScanner, SecretScanTarget } from './finding.js';
import type { SecretRuleSet } from './rules/rule.js';

export interface SecretScannerOptions {
  /** Key of the fingerprints, at least 16 bytes, from the keyring. */
  readonly fingerprintKey: Buffer;
  /** The key's id in the keyring; it stands in each fingerprint. */
  readonly fingerprintKeyId: string;
  /** With it, findings whose provider can be asked carry their secret sealed; of 32 bytes, and known to this process alone. */
  readonly sealingKey?: Key | undefined;
  /** Milliseconds that only ever grow; the process's own clock when left out. */
  readonly monotonicMs?: () => number;
  /** How long one rule may take for 64 KB before it is switched off for the object; 1,000 ms when left out. */
  readonly ruleBudgetMs?: number;
  /** Findings that a result holds at most; 1,000 when left out. The rest are counted. */
  readonly maxFindings?: number;
}

export const RULE_BUDGET_MS = 1_000;
export const MAX_FINDINGS = 1_000;
export const SHORTEST_KEY_BYTES = 16;

/**
 * A scanner that works in the calling thread: for small objects, tests and places where no worker can be had.
 * A pattern that runs away blocks the thread until it ends; SecretScanPool does not have that weakness.
 */
export function createSecretScanner(rules: SecretRuleSet, options: SecretScannerOptions): SecretScanner {
  const settings = scanSettings(rules, options);
  const scanner: SecretScanner = {
    rulesCount: rules.rules.length,
    rulesDigest: rules.digest,
    rulesNotes: rules.notes,
    open: (target: SecretScanTarget): SecretScan => new ByteScan(settings, target),
    close: () => Promise.resolve(),
  };
  return scanner;
}

/** Compiles the rules and fills in what the options leave open. */
export function scanSettings(rules: SecretRuleSet, options: SecretScannerOptions): ScanSettings {
  if (options.fingerprintKey.length < SHORTEST_KEY_BYTES)
    throw InvalidInput.field('fingerprintKey', `needs at least ${SHORTEST_KEY_BYTES} bytes`);
  return {
    rules: compileRules(rules),
    fingerprintKey: options.fingerprintKey,
    fingerprintKeyId: options.fingerprintKeyId,
    sealingKey: options.sealingKey,
    monotonicMs: options.monotonicMs ?? (() => performance.now()),
    ruleBudgetMs: options.ruleBudgetMs ?? RULE_BUDGET_MS,
    maxFindings: options.maxFindings ?? MAX_FINDINGS,
  };
}
