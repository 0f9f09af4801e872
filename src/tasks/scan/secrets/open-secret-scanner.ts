import type { SecretScanner } from './finding.js';
import { SecretScanPool } from './pool/secret-scan-pool.js';
import { builtInRules } from './rules/built-in.js';
import { loadRules } from './rules/load.js';
import { createSecretScanner } from './secret-scanner.js';
import type { SecretScannerOptions } from './secret-scanner.js';

export interface OpenSecretScannerOptions extends SecretScannerOptions {
  /** The text of the file that SECRET_RULES names, and its path for error messages. */
  readonly userRules?: { readonly name: string; readonly toml: string };
  readonly workers?: number;
}

/**
 * The scanner with the built-in rules and the user's: in worker threads, or in this thread where the worker's program
 * has not been built (a test runner that reads the sources). Throws RuleError for rules that cannot be used.
 */
export function openSecretScanner(options: OpenSecretScannerOptions): SecretScanner {
  const sources = [...builtInRules(), ...(options.userRules === undefined ? [] : [options.userRules])];
  return SecretScanPool.canRun
    ? new SecretScanPool({ ...options, sources })
    : createSecretScanner(loadRules(sources), options);
}
