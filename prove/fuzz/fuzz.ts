import { mutated } from './mutate.js';
import type { Parser } from './parsers.js';

// Far above what the slowest takes (a bomb up to its limit), far below what anybody would call a hang.
const HANG_MS = 10_000;
// What is collected late, and code that is compiled on the way.
const GROWTH_BYTES = 96 * 1024 ** 2;

export interface Fuzzed {
  readonly inputs: number;
  readonly slowestMs: number;
  readonly grownBytes: number;
  readonly problems: readonly string[];
}

/** Gives a parser changed seeds for so long. */
export async function fuzz(parser: Parser, milliseconds: number, random: () => number): Promise<Fuzzed> {
  const problems: string[] = [];
  let inputs = 0;
  let slowestMs = 0;
  let settled = 0;
  const began = performance.now();
  for (const seed of parser.seeds) await parser.take(seed);
  while (performance.now() - began < milliseconds && problems.length < 20) {
    const input = mutated(parser.seeds, random);
    const start = performance.now();
    try {
      await inTime(parser.take(input));
    } catch (error) {
      problems.push(`${String(error)}: ${input.subarray(0, 2048).toString('base64')}`);
    }
    const took = performance.now() - start;
    slowestMs = Math.max(slowestMs, took);
    // One that never waits cannot be interrupted, only be told of.
    if (took > HANG_MS)
      problems.push(`took ${Math.round(took)} ms: ${input.subarray(0, 2048).toString('base64')}`);
    inputs += 1;
    // The first quarter warms up.
    if (settled === 0 && performance.now() - began > milliseconds / 4) settled = memory();
    if (inputs % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const grownBytes = settled === 0 ? 0 : Math.max(0, memory() - settled);
  if (grownBytes > GROWTH_BYTES) problems.push(`memory grew by ${grownBytes} bytes`);
  return { inputs, slowestMs: Math.round(slowestMs), grownBytes, problems };
}

function memory(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still not done after ${HANG_MS} ms`)), HANG_MS);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
