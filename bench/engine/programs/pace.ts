import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { MemoryResult, PaceOrder, PaceResult } from './messages.js';

const TURN_MS = 20;

/** An open loop: what starts does not depend on what has ended. `once` runs the nth; `waits` says that it takes its time. */
export async function openLoop(
  { perSecond, seconds }: PaceOrder,
  once: (n: number) => Promise<unknown>,
  waits: (n: number) => boolean,
): Promise<PaceResult> {
  const latencies: number[] = [];
  const running: Promise<void>[] = [];
  let completed = 0;
  const run = async (n: number): Promise<void> => {
    const began = performance.now();
    await once(n);
    completed += 1;
    if (!waits(n)) latencies.push(performance.now() - began);
  };
  const began = performance.now();
  for (let started = 0; ;) {
    const elapsed = (performance.now() - began) / 1_000;
    const due = Math.floor(Math.min(elapsed, seconds) * perSecond);
    for (; started < due; started += 1) running.push(run(started));
    if (elapsed >= seconds) break;
    await sleep(TURN_MS);
  }
  const open = running.length - completed;
  await Promise.all(running);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? Number.NaN;
  return { started: running.length, completed, open, p50: at(0.5), p99: at(0.99) };
}

let collect: (() => void) | undefined;

/** What is left when everything that nobody holds is gone; the flag is set when somebody asks, not for what is measured. */
export function memoryInUse(): MemoryResult {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heapUsed, external };
}
