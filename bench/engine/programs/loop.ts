import pg from 'pg';
import type { LoopOrder, LoopResult } from './messages.js';

const SAMPLE = 20;
const RSS_EVERY_MS = 100;

const sent = { statements: 0 };

/** Counts every SQL text that this process sends from now on; both contestants use the same driver. */
export function countStatements(): void {
  const prototype = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };
  const { query } = prototype;
  prototype.query = function counted(this: unknown, ...args: unknown[]): unknown {
    sent.statements += 1;
    return query.apply(this, args);
  };
}

/** A closed loop: whenever a workflow ends, the next one starts. `once` runs one and resolves with its id. */
export async function closedLoop(order: LoopOrder, once: () => Promise<string>): Promise<LoopResult> {
  const window = { open: false, closed: false };
  const latencies: number[] = [];
  const ids: string[] = [];
  let total = 0;
  const runner = async (): Promise<void> => {
    while (!window.closed) {
      const began = performance.now();
      const id = await once();
      total += 1;
      if (!window.open) continue;
      latencies.push(performance.now() - began);
      ids.push(id);
    }
  };
  const atStart = { at: performance.now(), cpu: process.cpuUsage(), statements: sent.statements };
  const running = Promise.all(Array.from({ length: order.concurrency }, runner));
  // A runner that fails ends the measurement at once.
  await Promise.race([running, sleep(order.warmSeconds * 1_000)]);
  const opened = performance.now();
  window.open = true;
  let rssBytes = 0;
  const look = (): void => {
    rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
  };
  look();
  const looking = setInterval(look, RSS_EVERY_MS);
  await Promise.race([running, sleep(order.seconds * 1_000)]);
  window.open = false;
  window.closed = true;
  const seconds = (performance.now() - opened) / 1_000;
  const counted = latencies.length;
  clearInterval(looking);
  await running;
  const wallSeconds = (performance.now() - atStart.at) / 1_000;
  const cpu = process.cpuUsage(atStart.cpu);
  const statements = sent.statements - atStart.statements;
  latencies.sort((a, b) => a - b);
  const step = Math.max(1, Math.floor(counted / SAMPLE));
  return {
    counted,
    seconds,
    total,
    p50: at(latencies, 0.5),
    p99: at(latencies, 0.99),
    sample: ids.slice(0, counted).filter((_, index) => index % step === 0),
    wallSeconds,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    rssBytes,
    statements,
  };
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
