import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { verifierText } from '../../src/audit/export/verifier.js';
import type { Damage } from './rows.js';

const EVERY_MS = 20;

interface Verified {
  readonly isWhole: boolean;
  readonly said: string;
  readonly seconds: number;
  /** Of the process that verified, at most. */
  readonly mebibytes: number;
}

/** An extract on disk, and the program beside it that verifies it. */
export class ExtractFile {
  readonly bytes: number;
  private readonly verifier: string;

  constructor(
    readonly path: string,
    folder: string,
    readonly seconds: number,
  ) {
    this.bytes = statSync(path).size;
    this.verifier = join(folder, 'verify.mjs');
    writeFileSync(this.verifier, verifierText());
  }

  async verify(path = this.path): Promise<Verified> {
    const began = performance.now();
    const child = spawn(process.execPath, [this.verifier, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {},
    });
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, residentOf(child.pid))), EVERY_MS);
    try {
      const [said, [code]] = await Promise.all([
        text(child.stdout),
        once(child, 'close') as Promise<[number]>,
      ]);
      const seconds = (performance.now() - began) / 1000;
      if (!said.startsWith(code === 0 ? 'Whole: ' : 'NOT WHOLE: '))
        throw new Error(`verify.mjs ended with ${code}: ${said}`);
      return { isWhole: code === 0, said, seconds, mebibytes: most };
    } finally {
      clearInterval(timer);
    }
  }
}

/** Mebibytes that Linux says a process has had at most; 0 once it is over. */
function residentOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    // It ended between two looks, or this is no Linux.
    return 0;
  }
}

type Below = (limit: number) => number;

/** Changes a copy of the file in one way at a time, and looks whether the verifier names the line. */
export async function damageFile(file: ExtractFile, count: number, random: () => number): Promise<Damage> {
  const whole = readFileSync(file.path);
  const ends = lineEnds(whole);
  const path = `${file.path}.changed`;
  const below: Below = (limit) => Math.floor(random() * limit);
  const missed: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const { what, line } = WAYS[n % WAYS.length]?.(whole, ends, path, below) ?? { what: 'nothing', line: 0 };
    const { isWhole, said } = await file.verify(path);
    const at = Number(/line (\d+):/.exec(said)?.[1] ?? 0);
    if (isWhole || at !== line) missed.push(`${what}, expected in line ${line}: ${said.trim()}`);
  }
  return { tried: count, missed };
}

/** Where each line ends, behind its line feed. */
function lineEnds(whole: Buffer): number[] {
  const ends: number[] = [];
  for (let at = whole.indexOf(10); at !== -1; at = whole.indexOf(10, at + 1)) ends.push(at + 1);
  return ends;
}

const lineOf = (ends: readonly number[], at: number): number => ends.findIndex((end) => at < end) + 1;

const WAYS: readonly ((
  whole: Buffer,
  ends: readonly number[],
  path: string,
  below: Below,
) => { readonly what: string; readonly line: number })[] = [
  flip,
  flip,
  flip,
  (whole, ends, path, below) => {
    // Somewhere within, so that a line is left that is none.
    const to = 1 + below(whole.length - 2);
    writeFileSync(path, whole.subarray(0, to));
    // Behind a whole line, only the end is missing, which is in no line.
    const isBetween = ends.includes(to);
    return { what: `cut off behind ${to} bytes`, line: isBetween ? 0 : lineOf(ends, to) };
  },
  (whole, ends, path, below) => {
    // An event and the line behind it; the first line and the last are no events.
    const first = 1 + below(ends.length - 3);
    const [from, middle, to] = [ends[first - 1] ?? 0, ends[first] ?? 0, ends[first + 1] ?? 0];
    const parts = [
      whole.subarray(0, from),
      whole.subarray(middle, to),
      whole.subarray(from, middle),
      whole.subarray(to),
    ];
    writeFileSync(path, Buffer.concat(parts));
    return { what: `lines ${first + 1} and ${first + 2} that change places`, line: first + 1 };
  },
];

/** The bits of one byte; a file system can do worse, and no worse is needed. */
function flip(
  whole: Buffer,
  ends: readonly number[],
  path: string,
  below: Below,
): { readonly what: string; readonly line: number } {
  const at = below(whole.length);
  const mask = 1 + below(255);
  writeFileSync(path, whole);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([(whole[at] ?? 0) ^ mask]), 0, 1, at);
  closeSync(file);
  return { what: `byte ${at} with the bits ${mask}`, line: lineOf(ends, at) };
}
