import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtInRules } from '../../src/tasks/scan/secrets/rules/built-in.js';
import { loadRules } from '../../src/tasks/scan/secrets/rules/load.js';
import { createSecretScanner } from '../../src/tasks/scan/secrets/secret-scanner.js';
import type { SecretScanner, SecretScanResult } from '../../src/tasks/scan/secrets/finding.js';
import { gitleaks, toolOr } from '../../test/interop/toolchain.js';
import { atLeast, atMost, beside, figure, type Say } from '../e2e/row.js';
import { median } from '../engine/statistics.js';
import type { Row } from '../row.js';
import { corpusOf, jsonLines, type Kind } from './corpus.js';
import type { Options } from './options.js';

const PACKAGES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const CHUNK = 65_536;
const GITLEAKS = '8.30.1';
const BARS: Readonly<Record<Kind, number>> = { source: 150, json: 300, logs: 300 };
const MUST_TIMES = 3;
const MUST_MEBIBYTES = 100;

const ourScanner = (): SecretScanner =>
  createSecretScanner(loadRules(builtInRules()), {
    fingerprintKey: Buffer.alloc(32, 7),
    fingerprintKeyId: 'bench',
  });

/** One kind of text, all our rules in one thread; gitleaks on one core beside it, where Go is installed. */
export async function secrets(kind: Kind, { megabytes, rounds }: Options, say: Say): Promise<Row[]> {
  const text = corpusOf(kind, PACKAGES, megabytes * 1e6);
  const scanner = ourScanner();
  const peer = await toolOr('Go 1.21 or newer, and the module proxy', () => gitleaks(GITLEAKS));
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-scan-'));
  const file = join(folder, 'corpus');
  writeFileSync(file, text);
  try {
    // The first runs compile the patterns.
    for (let i = 0; i < 2; i += 1) await scan(scanner, text);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await perSecond(text.length, () => scan(scanner, text)));
      if (!('missing' in peer)) theirs.push(await perSecond(text.length, () => runPeer(peer.command, file)));
      say(
        `${kind}: ${figure(ours.at(-1) ?? 0)} MB/s; gitleaks ${theirs.length > 0 ? figure(theirs.at(-1) ?? 0) : 'is not there'}`,
      );
    }
    const value = median(ours);
    const { counts } = await scan(scanner, text);
    const rows: Row[] = [
      {
        name: `secrets, ${kind}, one thread`,
        value,
        unit: 'MB/s',
        ...atLeast(value, BARS[kind]),
        from: `${figure(text.length / 1e6)} MB, rounds ${ours.map(figure).join(', ')}; found ${counts.high} certain, ${counts.medium} likely`,
      },
    ];
    if (theirs.length === 0) return rows;
    const times = value / median(theirs);
    return [
      ...rows,
      {
        name: `gitleaks ${GITLEAKS}, ${kind}, one core`,
        value: median(theirs),
        unit: 'MB/s',
        ...beside,
        from: `its own rules, without decoding, start included: ${theirs.map(figure).join(', ')}`,
      },
      {
        name: `secrets, ${kind}: ours to gitleaks`,
        value: times,
        unit: 'times',
        ...(kind === 'source' ? atLeast(times, MUST_TIMES) : beside),
        from: 'medians of the same run, alternating',
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a stream of many gigabytes adds to the process's memory. */
export async function streamMemory({ gigabytes }: Options, say: Say): Promise<Row[]> {
  const text = jsonLines(64 * 1024 ** 2);
  const scanner = ourScanner();
  await scan(scanner, text);
  const before = process.memoryUsage.rss();
  let most = before;
  const open = scanner.open({ path: 'large.json' });
  const began = performance.now();
  for (let written = 0; written < gigabytes * 1e9; written += text.length) {
    for (let at = 0; at < text.length; at += CHUNK) await open.write(text.subarray(at, at + CHUNK));
    most = Math.max(most, process.memoryUsage.rss());
  }
  await open.end();
  const grown = (most - before) / 2 ** 20;
  const seconds = (performance.now() - began) / 1000;
  say(`memory: +${figure(grown)} MiB on ${gigabytes} GB in ${figure(seconds)} s`);
  return [
    {
      name: `growth of RSS on a stream of ${gigabytes} GB`,
      value: grown,
      unit: 'MiB',
      ...atMost(grown, MUST_MEBIBYTES),
      from: `${figure(before / 2 ** 20)} to ${figure(most / 2 ** 20)} MiB, ${figure((gigabytes * 1000) / seconds)} MB/s`,
    },
  ];
}

async function scan(scanner: SecretScanner, text: Buffer): Promise<SecretScanResult> {
  const open = scanner.open({ path: 'bench/corpus.txt' });
  for (let at = 0; at < text.length; at += CHUNK) await open.write(text.subarray(at, at + CHUNK));
  return open.end();
}

function runPeer(command: string, file: string): Promise<void> {
  const input = openSync(file, 'r');
  try {
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
    const ended = spawnSync(command, args, {
      stdio: [input, 'ignore', 'pipe'],
      env: { ...process.env, GOMAXPROCS: '1' },
    });
    if (ended.status !== 0)
      throw new Error(`gitleaks ended with ${ended.status}: ${ended.stderr.toString()}`);
    return Promise.resolve();
  } finally {
    closeSync(input);
  }
}

async function perSecond(bytes: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return bytes / 1e6 / ((performance.now() - began) / 1000);
}
