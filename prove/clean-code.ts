import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SecretFinding } from '../src/tasks/scan/secrets/finding.js';
import { builtInRules } from '../src/tasks/scan/secrets/rules/built-in.js';
import { loadRules } from '../src/tasks/scan/secrets/rules/load.js';
import { createSecretScanner } from '../src/tasks/scan/secrets/secret-scanner.js';

/*
 * How much the built-in rules cry wolf: published code is scanned that holds no secrets, or only such as its authors made
 * up, and each different certain finding counts. The code is what is installed where this runs; it stays there.
 */

const NEEDED_BYTES = 300e6;
const BYTES_A_FINDING = 20e6;
const LARGEST_FILE = 2e6;
const TEXT =
  /\.(?:[cm]?[jt]sx?|json|md|py|go|c|h|cc|cpp|hpp|rs|java|kt|rb|pl|pm|php|cs|sh|ya?ml|toml|ini|cfg|html|css|txt|rst)$/;
const LISTED = 40;

/** For `--help`. */
export const help = '--folder FOLDER  published code to be scanned; as often as you like';

/** @returns whether enough was scanned, and no more than one different certain finding in 20 MB of it. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const folders = args.flatMap((arg, at) => (args[at - 1] === '--folder' ? [arg] : []));
  if (folders.length === 0)
    throw new Error('--folder: name a folder of published code, as often as you like');
  const scanner = createSecretScanner(loadRules(builtInRules()), {
    fingerprintKey: Buffer.alloc(32, 1),
    fingerprintKeyId: 'proof',
  });
  const certain = new Map<string, { readonly finding: SecretFinding; readonly path: string }>();
  let bytes = 0;
  let files = 0;
  let uncertain = 0;
  for (const path of folders.flatMap((folder) => [...filesIn(folder)])) {
    const content = readFileSync(path);
    const scan = scanner.open({ path });
    await scan.write(content);
    const { findings } = await scan.end();
    bytes += content.length;
    files += 1;
    for (const finding of findings) {
      if (finding.confidence === 'high') certain.set(finding.fingerprint, { finding, path });
      else uncertain += 1;
    }
  }
  return summarise({ bytes, files, uncertain, certain: [...certain.values()] });
}

/** Text files, each once; links are not followed, so that none is met twice. */
function* filesIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else if (entry.isFile() && TEXT.test(entry.name) && statSync(path).size <= LARGEST_FILE) yield path;
  }
}

function summarise(seen: {
  readonly bytes: number;
  readonly files: number;
  readonly uncertain: number;
  readonly certain: readonly { readonly finding: SecretFinding; readonly path: string }[];
}): boolean {
  const { bytes, files, uncertain, certain } = seen;
  for (const { finding, path } of certain.slice(0, LISTED))
    say(`${finding.ruleId}\t${finding.maskedExcerpt}\t${path}:${finding.location.line}`);
  if (certain.length > LISTED) say(`and ${certain.length - LISTED} more`);
  const isEnough = bytes >= NEEDED_BYTES;
  const most = Math.floor(bytes / BYTES_A_FINDING);
  const passed = isEnough && certain.length <= most;
  const of = isEnough ? '' : `, of ${NEEDED_BYTES / 1e6} MB that are needed`;
  say(
    `${(bytes / 1e6).toFixed(0)} MB in ${files} files${of}: ${certain.length} different certain findings (at most ${most}), ${uncertain} uncertain ones: ${passed ? 'passed' : 'failed'}`,
  );
  return passed;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
