import { setTimeout as delay } from 'node:timers/promises';
import { encodeCursor } from '../../src/cursor.js';
import { median } from '../../bench/engine/statistics.js';
import type { ServiceProcess } from '../../test/support/service-process.js';
import type { Scratch } from './cluster.js';
import { PARKED } from './definitions.js';

export interface Timing {
  readonly medianMs: number;
  readonly maxMs: number;
  readonly firstMs: number;
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10;

const timingOf = (times: readonly number[]): Timing => ({
  medianMs: rounded(median(times)),
  maxMs: rounded(Math.max(...times)),
  firstMs: rounded(times[0] ?? Number.NaN),
});

async function took(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const RUNNING_GAUGE = /^sallyport_workflows\{state="running"\} (\d+)/m;

/** Scrapes of `/metrics`. @param everyMs at least so long that what is read is not what was read before. */
export async function scrape(
  service: ServiceProcess,
  times: number,
  everyMs: number,
): Promise<Timing & { readonly running: number }> {
  const all: number[] = [];
  let text = '';
  for (let index = 0; index < times; index += 1) {
    if (index > 0) await delay(everyMs);
    all.push(await took(async () => (text = await service.api<string>('/metrics'))));
  }
  return { ...timingOf(all), running: Number(RUNNING_GAUGE.exec(text)?.[1] ?? Number.NaN) };
}

const PAGE = 100;
// Conductor's pages are counted from the start, and ours so far at most.
const MAX_START = 10_000;

interface Page {
  readonly path: string;
  /** How many of the answer's rows there must be. */
  readonly rows: number;
}

export type Pages = Readonly<Record<string, Page>>;

/** The pages that people and scripts ask for, each with what must be on it. */
export async function pagesOf(database: Scratch): Promise<Pages> {
  const list = (query: string, rows = PAGE): Page => ({
    path: `/api/v1/executions?limit=${PAGE}&${query}`,
    rows,
  });
  const conductors = (query: string, rows = PAGE): Page => ({
    path: `/api/workflow/search?size=${PAGE}&sort=startTime:DESC&freeText=*&${query}`,
    rows,
  });
  const { at, id } = await database.one<{ at: string; id: string }>(
    'SELECT created_at AS at, id FROM workflow ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET (SELECT count(*) / 2 FROM workflow)',
  );
  const middle = `cursor=${encodeCursor({ at: Number(at), id })}`;
  const { waiting } = await database.one<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM workflow WHERE name = '${PARKED.wait}'`,
  );
  const deep = Math.min(MAX_START, waiting) - PAGE;
  const { same } = await database.one<{ same: number }>(
    `SELECT least(count(*), ${PAGE})::int AS same FROM workflow WHERE correlation_id = 'order-7'`,
  );
  const wait = encodeURIComponent(`workflowType='${PARKED.wait}' AND status='RUNNING'`);
  return {
    'all, first page': list(''),
    'all, a page in the middle': list(middle),
    'status RUNNING': list('status=RUNNING'),
    'status RUNNING, a page in the middle': list(`status=RUNNING&${middle}`),
    'status FAILED, which none is': list('status=FAILED,TIMED_OUT', 0),
    'by name': list(`name=${PARKED.human}`),
    'by name, a page in the middle': list(`name=${PARKED.human}&${middle}`),
    'by name, which none has': list('name=nothing', 0),
    'by name and status': list(`name=${PARKED.wait}&status=RUNNING`),
    'by name and status FAILED, which none is': list(`name=${PARKED.wait}&status=FAILED`, 0),
    'by correlation id': list('correlationId=order-7', same),
    'search, first page': conductors('start=0'),
    'search, by name and status': conductors(`start=0&query=${wait}`),
    'search, by name and status FAILED': conductors(
      `query=${encodeURIComponent(`workflowType='${PARKED.wait}' AND status='FAILED'`)}`,
      0,
    ),
    'search, as deep as it goes': conductors(`start=${deep}&query=${wait}`),
  };
}

/** Times each page. Throws when one is not what it should be; @param isFull false where none of it is there. */
export async function search(
  service: ServiceProcess,
  pages: Pages,
  times: number,
  isFull: boolean,
): Promise<Readonly<Record<string, Timing>>> {
  const figures: Record<string, Timing> = {};
  for (const [name, { path, rows }] of Object.entries(pages)) {
    const all: number[] = [];
    for (let index = 0; index < times; index += 1) {
      all.push(
        await took(async () => {
          const answer = await service.api<{ items?: unknown[]; results?: unknown[] }>(path);
          const found = (answer.items ?? answer.results ?? []).length;
          if (found !== (isFull ? rows : 0)) throw new Error(`${name}: ${found} rows on the page`);
        }),
      );
    }
    figures[name] = timingOf(all);
  }
  return figures;
}
