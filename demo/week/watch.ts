import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceProcess } from '../../test/support/service-process.js';

const LOOK_MS = 1_000;
const WAYS = [
  ['slack', 'in the chat'],
  ['mail', 'by mail'],
  ['web', 'on the web'],
] as const;

interface ReviewRow {
  readonly object: { readonly key: string } | null;
  readonly decision?: { readonly via: string; readonly by: { readonly name: string } } | null;
}

/** Says so when a question was answered in each of the three ways; ends then, or at the signal. */
export async function watchApprovals(
  service: ServiceProcess,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 1000);
  const done = new Set<string>();
  while (!signal.aborted && done.size < WAYS.length) {
    const { items } = await service.api<{ items: ReviewRow[] }>('/api/v1/reviews?state=COMPLETED&limit=50');
    for (const { object, decision } of items) {
      const way = WAYS.find(([via]) => via === decision?.via);
      const key = object?.key ?? '';
      if (way === undefined || done.has(way[0]) || !key.startsWith('for-you/')) continue;
      done.add(way[0]);
      say(`  ✓ ${key} was decided ${way[1]} by ${decision?.by.name ?? ''} (${seconds()} s)`);
    }
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  if (done.size < WAYS.length) return;
  say(
    `\n  All three, in ${seconds()} s. Look around: the executions' graphs, the ledger, the timeline of a review.`,
  );
}
