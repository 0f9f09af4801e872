import { randomBytes } from 'node:crypto';
import type { Key } from '../../access/keyring.js';
import type { SecretScanner } from './secrets/finding.js';
import { SecretScanPool } from './secrets/pool/secret-scan-pool.js';
import { builtInRules } from './secrets/rules/built-in.js';
import { loadRules } from './secrets/rules/load.js';
import type { RuleSource } from './secrets/rules/load.js';
import type { VerifySpec } from './secrets/rules/schema.js';
import { createSecretScanner } from './secrets/secret-scanner.js';

export interface SecretScannerSettings {
  readonly key: { readonly id: string; readonly key: Buffer };
  /** SECRET_RULES, added to the built-in pack. */
  readonly userRules: RuleSource | undefined;
  /** Objects at the same time. */
  readonly concurrency: number;
  /** Hands what is found to the verifier, sealed. */
  readonly verifies?: boolean;
}

/** What the verifier needs of the scanner. */
export interface Verification {
  /** Known to this process alone, and gone with it. */
  readonly key: Key;
  /** By rule. */
  readonly specs: ReadonlyMap<string, VerifySpec>;
}

/** The process's secret scanner with its rules loaded: in worker threads where the compiled worker is there. */
export class SecretScannerSource {
  readonly scanner: SecretScanner;
  readonly concurrency: number;
  /** Absent where providers are not asked. */
  readonly verification: Verification | undefined;

  /** @throws RuleError for rules that cannot be used; stops the start. */
  constructor({ key, userRules, concurrency, verifies = false }: SecretScannerSettings) {
    const sources = [...builtInRules(), ...(userRules === undefined ? [] : [userRules])];
    this.verification = verifies ? verificationBy(sources) : undefined;
    const options = {
      fingerprintKey: key.key,
      fingerprintKeyId: key.id,
      sealingKey: this.verification?.key,
    };
    this.concurrency = concurrency;
    this.scanner = SecretScanPool.canRun
      ? new SecretScanPool({ ...options, sources })
      : createSecretScanner(loadRules(sources), options);
  }

  async close(): Promise<void> {
    await this.scanner.close();
  }
}

const verificationBy = (sources: readonly RuleSource[]): Verification => ({
  key: { id: 'verification', key: randomBytes(32) },
  specs: new Map(
    loadRules(sources).rules.flatMap(({ id, verify }) =>
      verify === undefined ? [] : [[id, verify] as const],
    ),
  ),
});
