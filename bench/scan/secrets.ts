import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtInRules } from '../../src/tasks/scan/secrets/rules/built-in.js';
import { loadRules } from '../../src/tasks/scan/secrets/rules/load.js';
import { createSecretScanner } from '../../src/tasks/scan/secrets/secret-scanner.js';
import type { SecretScanner, SecretScanResult } from '../../src/tasks/scan/secrets/finding.js';
import { atLeast, atMost, beside, figure, type Say } from '../e2e/row.js';
import { median } from '../engine/statistics.js';
import type { Row } from '../row.js';
import { corpusOf, jsonLines, type Kind } from './corpus.js';
import type { Options } from './options.js';
import { peersOn, type Peer } from './peers.js';

const PACKAGES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const CHUNK = 65_536;
const BARS: Readonly<Record<Kind, number>> = { source: 150, json: 300, logs: 300 };
const MUST_TIMES = 3;
const MUST_MEBIBYTES = 100;

const ourScanner = (): SecretScanner =>
  createSecretScanner(loadRules(builtInRules()), {
    fingerprintKey: Buffer.alloc(32, 7),
    fingerprintKeyId: 'bench',
  });

/** One kind of text, all our rules in one thread; beside it what else there is, each on one core. */
export async function secrets(kind: Kind, { megabytes, rounds }: Options, say: Say): Promise<Row[]> {
  const text = corpusOf(kind, PACKAGES, megabytes * 1e6);
  const scanner = ourScanner();
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-scan-'));
  try {
    const { peers, missing } = await peersOn(text, folder);
    for (const why of missing) say(why);
    // The first runs compile the patterns.
    for (let i = 0; i < 2; i += 1) await scan(scanner, text);
    const ours: number[] = [];
    const theirs = peers.map((): number[] => []);
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await perSecond(text.length, () => scan(scanner, text)));
      for (const [index, peer] of peers.entries())
        theirs[index]?.push(await perSecond(peer.bytes, () => peer.run()));
      const said = peers.map(({ name }, index) => `${name} ${figure(theirs[index]?.at(-1) ?? 0)}`);
      say(`${kind}: ${[figure(ours.at(-1) ?? 0), ...said].join(', ')} MB/s`);
    }
    const value = median(ours);
    const { counts } = await scan(scanner, text);
    return [
      {
        name: `secrets, ${kind}, one thread`,
        value,
        unit: 'MB/s',
        ...atLeast(value, BARS[kind]),
        from: `${figure(text.length / 1e6)} MB, rounds ${ours.map(figure).join(', ')}; found ${counts.high} certain, ${counts.medium} likely`,
      },
      ...peers.flatMap((peer, index) => rowsBeside(peer, kind, value, theirs[index] ?? [])),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function rowsBeside(peer: Peer, kind: Kind, ours: number, rounds: readonly number[]): Row[] {
  const value = median(rounds);
  const from = `${peer.about}: ${rounds.map(figure).join(', ')}`;
  const row: Row = { name: `${peer.name}, ${kind}, one core`, value, unit: 'MB/s', ...beside, from };
  if (!peer.isRival) return [row];
  const times = ours / value;
  const judged = kind === 'source' ? atLeast(times, MUST_TIMES) : beside;
  const same = 'medians of the same run, alternating';
  return [
    row,
    { name: `secrets, ${kind}: ours to ${peer.name}`, value: times, unit: 'times', ...judged, from: same },
  ];
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

async function perSecond(bytes: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return bytes / 1e6 / ((performance.now() - began) / 1000);
}
