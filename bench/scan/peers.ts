import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtInRules } from '../../src/tasks/scan/secrets/rules/built-in.js';
import { loadRules } from '../../src/tasks/scan/secrets/rules/load.js';
import { gitleaks, secretlint, toolOr, type Sdk } from '../../test/interop/toolchain.js';

const GITLEAKS = '8.30.1';
// The last that runs on Node 20.
const SECRETLINT = '12.0.0';
// Its rules read a text several times: a minute for what the others do in a second.
const SECRETLINT_BYTES = 5_000_000;

/** Another program over the same text. */
export interface Peer {
  readonly name: string;
  /** What it does and does not do, for the table. */
  readonly about: string;
  readonly bytes: number;
  /** Ours is to be so many times as fast on source text. */
  readonly isRival: boolean;
  run(): Promise<void>;
}

/** Who can be had here, and why the others cannot. */
export async function peersOn(
  text: Buffer,
  folder: string,
): Promise<{ readonly peers: readonly Peer[]; readonly missing: readonly string[] }> {
  const file = join(folder, 'corpus.txt');
  writeFileSync(file, text);
  const missing: string[] = [];
  const had = async (needs: string, install: () => Promise<Sdk>): Promise<Sdk[]> => {
    const tool = await toolOr(needs, install);
    if (!('missing' in tool)) return [tool];
    missing.push(tool.missing);
    return [];
  };
  const peers = [
    ...(await had('Go 1.21 or newer, and the module proxy', () => gitleaks(GITLEAKS))).map((tool) =>
      gitleaksOn(tool, file, text.length),
    ),
    ...(await had('npm and its registry', () => secretlint(SECRETLINT))).map((tool) =>
      secretlintOn(tool, text.subarray(0, SECRETLINT_BYTES), folder),
    ),
    ...(await had('ripgrep', ripgrep)).map((tool) => ripgrepOn(tool, file, text.length, folder)),
  ];
  return { peers, missing };
}

function gitleaksOn({ command }: Sdk, file: string, bytes: number): Peer {
  const args = [
    'stdin',
    '--no-banner',
    '--exit-code',
    '0',
    '--log-level',
    'error',
    '--max-decode-depth',
    '0',
  ];
  return {
    name: `gitleaks ${GITLEAKS}`,
    about: 'its own rules, without decoding, start included',
    bytes,
    isRival: true,
    run: async () => runOn(command, args, { input: file }),
  };
}

function secretlintOn({ command, folder: home }: Sdk, text: Buffer, folder: string): Peer {
  const file = join(folder, 'lint.txt');
  writeFileSync(file, text);
  const program = join(home, 'secretlint.mjs');
  copyFileSync(fileURLToPath(new URL('secretlint.mjs', import.meta.url)), program);
  return {
    name: `secretlint ${SECRETLINT}`,
    about: 'its recommended rules, in pieces of 100 KB, start included',
    bytes: text.length,
    isRival: false,
    run: async () => runOn(command, [program, file]),
  };
}

const ripgrep = async (): Promise<Sdk> => {
  const { status, error } = spawnSync('rg', ['--version']);
  if (status !== 0) throw error ?? new Error('rg does not run');
  return { command: 'rg', folder: '.' };
};

function ripgrepOn({ command }: Sdk, file: string, bytes: number, folder: string): Peer {
  const keywords = join(folder, 'keywords.txt');
  const { rules } = loadRules(builtInRules());
  const all = new Set(rules.flatMap((rule) => rule.keywords));
  writeFileSync(keywords, [...all].join('\n'));
  return {
    name: 'ripgrep -F -i -f',
    about: `counts the lines with one of our ${all.size} keywords and judges nothing`,
    bytes,
    isRival: false,
    run: async () => runOn(command, ['-F', '-i', '-c', '-j', '1', '-a', '-f', keywords, file]),
  };
}

function runOn(command: string, args: readonly string[], { input }: { input?: string } = {}): void {
  const stdin = input === undefined ? 'ignore' : openSync(input, 'r');
  try {
    const ended = spawnSync(command, args, {
      stdio: [stdin, 'ignore', 'pipe'],
      env: { ...process.env, GOMAXPROCS: '1' },
    });
    if (ended.status !== 0)
      throw new Error(`${command} ended with ${ended.status}: ${ended.stderr.toString()}`);
  } finally {
    if (typeof stdin === 'number') closeSync(stdin);
  }
}
