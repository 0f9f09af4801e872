import type { SecretScanResult } from '../finding.js';
import type { Collector } from './collector.js';
import type { CompiledRules } from './compile.js';

/** Raised whenever the engine may find other things in the same bytes with the same rules. */
export const ENGINE_VERSION = '1.2.0';

interface Counted {
  readonly bytesScanned: number;
  readonly lines: number;
  readonly markedAllowed: number;
  readonly expired: readonly number[];
  readonly isCutShort: boolean;
}

/** The result of a scan that reached its end. */
export function describeResult(
  rules: CompiledRules,
  collector: Collector,
  counted: Counted,
): SecretScanResult {
  const { expired, isCutShort, ...numbers } = counted;
  const ruleCount = rules.all.length;
  const { digest } = rules.set;
  return {
    ...collector.finish(),
    ...numbers,
    rulesCount: ruleCount,
    rulesDigest: digest,
    engine: { name: 'sallyport-secrets', version: ENGINE_VERSION, ruleCount, digest },
    notCovered: [
      ...expired.map((index) => ({
        reason: 'rule_deadline' as const,
        ruleId: rules.all[index]!.rule.id,
        disabledForObject: true as const,
      })),
      ...(isCutShort ? [{ reason: 'decoding_limit' as const }] : []),
    ],
  };
}
