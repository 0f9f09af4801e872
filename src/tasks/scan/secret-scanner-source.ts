import type { SecretScanner } from './secrets/finding.js';
import { SecretScanPool } from './secrets/pool/secret-scan-pool.js';
import { builtInRules } from './secrets/rules/built-in.js';
import { loadRules } from './secrets/rules/load.js';
import type { RuleSource } from './secrets/rules/load.js';
import { createSecretScanner } from './secrets/secret-scanner.js';

export interface SecretScannerSettings {
  readonly key: { readonly id: string; readonly key: Buffer };
  /** SECRET_RULES, added to the built-in pack. */
  readonly userRules: RuleSource | undefined;
  /** Objects at the same time. */
  readonly concurrency: number;
}

/** The process's secret scanner with its rules loaded: in worker threads where the compiled worker is there. */
export class SecretScannerSource {
  readonly scanner: SecretScanner;
  readonly concurrency: number;

  /** @throws RuleError for rules that cannot be used; stops the start. */
  constructor({ key, userRules, concurrency }: SecretScannerSettings) {
    const sources = [...builtInRules(), ...(userRules === undefined ? [] : [userRules])];
    const options = { fingerprintKey: key.key, fingerprintKeyId: key.id };
    this.concurrency = concurrency;
    this.scanner = SecretScanPool.canRun
      ? new SecretScanPool({ ...options, sources })
      : createSecretScanner(loadRules(sources), options);
  }

  async close(): Promise<void> {
    await this.scanner.close();
  }
}
