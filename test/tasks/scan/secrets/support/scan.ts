import type { SecretFinding, SecretScanResult } from '../../../../../src/tasks/scan/secrets/finding.js';
import { builtInRules } from '../../../../../src/tasks/scan/secrets/rules/built-in.js';
import { loadRules } from '../../../../../src/tasks/scan/secrets/rules/load.js';
import { createSecretScanner } from '../../../../../src/tasks/scan/secrets/secret-scanner.js';
import type { SecretScannerOptions } from '../../../../../src/tasks/scan/secrets/secret-scanner.js';

export const fingerprintKey = Buffer.alloc(32, 7);
const options: SecretScannerOptions = { fingerprintKey, fingerprintKeyId: 'k1' };

export const builtIn = loadRules(builtInRules());
const shared = createSecretScanner(builtIn, options);

/** Scans with the built-in rules. */
export async function scan(content: string | Uint8Array, path = 'config/app.txt'): Promise<SecretScanResult> {
  const open = shared.open({ path });
  await open.write(Buffer.from(content));
  return open.end();
}

/** Scans with the rules of one file and nothing else. */
export async function scanWith(
  toml: string,
  content: string | Uint8Array,
  more: Partial<SecretScannerOptions> & { path?: string } = {},
): Promise<SecretScanResult> {
  const { path = 'config/app.txt', ...others } = more;
  const scanner = createSecretScanner(loadRules([{ name: 'test.toml', toml }]), { ...options, ...others });
  const open = scanner.open({ path });
  await open.write(Buffer.from(content));
  return open.end();
}

/** Writes the content in pieces of the given lengths, over and over, then the rest. */
export async function scanInPieces(content: Buffer, lengths: readonly number[]): Promise<SecretScanResult> {
  const open = shared.open({ path: 'config/app.txt' });
  for (let at = 0, i = 0; at < content.length; i++) {
    const length = lengths.length === 0 ? content.length : lengths[i % lengths.length]!;
    await open.write(content.subarray(at, at + length));
    at += length;
  }
  return open.end();
}

export const ruleIds = (result: SecretScanResult): string[] => result.findings.map(({ ruleId }) => ruleId);

export function onlyFinding(result: SecretScanResult): SecretFinding {
  if (result.findings.length !== 1)
    throw new Error(`expected one finding, got ${JSON.stringify(ruleIds(result))}`);
  return result.findings[0]!;
}
