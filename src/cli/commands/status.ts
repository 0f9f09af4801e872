import type { Command } from 'commander';
import { durationText, visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { Busy, Refused } from '../client.js';
import { query } from '../values.js';

interface Check {
  readonly name: string;
  readonly healthy: boolean;
  readonly degraded?: boolean;
  readonly detail: string;
  readonly remedy?: string;
}

interface Health {
  readonly healthy: boolean;
  readonly degraded: boolean;
  readonly healthResults: readonly { readonly details: Check }[];
}

interface Counts {
  readonly total: number;
  readonly counts: Readonly<Record<string, number>>;
  /** Of the skipped: copies that a release wrote, which nobody uploaded. */
  readonly released: number;
}

interface ReviewPage {
  readonly items: readonly { readonly claim: unknown; readonly createdAt: string }[];
  readonly nextCursor: string | null;
}

/** What waits for people; exact up to {@link REVIEW_PAGES} pages. */
interface People {
  readonly waiting: number;
  readonly held: number;
  readonly isAll: boolean;
  readonly oldestAt: string | null;
}

/** The backlog at a glance. */
interface Queue {
  readonly waiting: number;
  readonly running: number;
  readonly dead: number;
  readonly pauses: readonly unknown[];
  readonly queues: readonly { readonly oldestAgeSeconds: number | null }[];
}

/** What this key may not see, in the service's words. */
interface Hidden {
  readonly hidden: string;
}

interface Status {
  readonly url: string;
  readonly version: string | Hidden;
  readonly healthy: boolean;
  readonly degraded: boolean;
  readonly checks: readonly Check[];
  readonly queue: Queue | Hidden;
  readonly today: Counts | Hidden;
  readonly people: People | Hidden;
}

const PAGE = 200;
const REVIEW_PAGES = 10;
// Unhealthy is an answer, and the one that is wanted most.
const UNHEALTHY = 503;

/** `status`: how the service is, and what it waits for. */
export function addStatus(program: Command, cli: Cli): void {
  program
    .command('status')
    .description('how the service is, and what waits; exit code 0: healthy, 1: not')
    .action(async () => {
      const status = await statusOf(cli);
      cli.print(status, () => linesOf(status, Date.now()));
      cli.exitCode = status.healthy ? 0 : 1;
    });
}

async function statusOf(cli: Cli): Promise<Status> {
  const { client } = cli;
  const health = await client.call<Health>('GET', '/health', undefined, [UNHEALTHY]);
  const checks = health.healthResults.map(({ details }) => details);
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const today = query('/api/v1/objects/summary', { from: midnight.toISOString() });
  const [version, queue, counts, waits] = await Promise.all([
    unlessHidden(() => client.call<string>('GET', '/api/version')),
    unlessHidden(() => client.call<Queue>('GET', '/api/v1/queue')),
    unlessHidden(() => client.call<Counts>('GET', today)),
    unlessHidden(() => people(cli)),
  ]);
  return {
    url: client.url,
    version,
    healthy: health.healthy,
    degraded: health.degraded,
    checks,
    queue,
    today: counts,
    people: waits,
  };
}

/** A service in trouble, or a key that may not see everything: the rest is shown all the same. */
async function unlessHidden<T>(ask: () => Promise<T>): Promise<T | Hidden> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Refused || error instanceof Busy) return { hidden: error.message };
    throw error;
  }
}

async function people({ client }: Cli): Promise<People> {
  let waiting = 0;
  let held = 0;
  let oldestAt: string | null = null;
  let cursor: string | undefined;
  for (let page = 0; page < REVIEW_PAGES; page += 1) {
    const asked = { state: 'WAITING', limit: PAGE, cursor };
    const { items, nextCursor } = await client.call<ReviewPage>('GET', query('/api/v1/reviews', asked));
    waiting += items.length;
    held += items.filter(({ claim }) => claim !== null).length;
    oldestAt = items.at(-1)?.createdAt ?? oldestAt;
    if (nextCursor === null) return { waiting, held, isAll: true, oldestAt };
    cursor = nextCursor;
  }
  return { waiting, held, isAll: false, oldestAt };
}

function linesOf(status: Status, now: number): string[] {
  const { healthy, degraded, checks, version, today } = status;
  const how = healthy ? (degraded ? 'healthy, with limits' : 'healthy') : 'NOT HEALTHY';
  const release = typeof version === 'string' ? ` ${visible(version, 40)}` : '';
  return [
    `Sallyport${release} at ${status.url}: ${how}`,
    ...checks
      .filter((check) => !check.healthy || check.degraded === true)
      .map(({ name, healthy: works, detail, remedy }) =>
        visible(
          `  ${works ? 'degraded' : 'BROKEN'}  ${name}: ${detail}${remedy === undefined ? '' : `  → ${remedy}`}`,
          1_000,
        ),
      ),
    ...checks
      .filter(({ name }) => name === 'roles' || name === 'engine')
      .map(({ name, detail }) => visible(`${name.padEnd(8)} ${detail}`, 500)),
    `${'queue'.padEnd(8)} ${queueText(status.queue)}`,
    `${'today'.padEnd(8)} ${'hidden' in today ? visible(today.hidden, 300) : countsText(today)}`,
    `${'people'.padEnd(8)} ${peopleText(status.people, now)}`,
  ];
}

function queueText(queue: Queue | Hidden): string {
  if ('hidden' in queue) return visible(queue.hidden, 300);
  const { waiting, running, dead, pauses, queues } = queue;
  const oldest = Math.max(...queues.map(({ oldestAgeSeconds }) => oldestAgeSeconds ?? 0), 0);
  return [
    waiting === 0 ? 'nothing waits' : `${waiting} wait, the oldest for ${durationText(oldest * 1000)}`,
    `${running} run`,
    ...(dead === 0 ? [] : [`${dead} could not be started; see: sallyport queue dead-letters`]),
    ...(pauses.length === 0 ? [] : [`${pauses.length} paused; see: sallyport queue list`]),
  ].join(', ');
}

function countsText({ total, counts, released }: Counts): string {
  const { skipped = 0, ...rest } = counts;
  const named = Object.entries({ ...rest, skipped: skipped - released })
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
  const copies = released === 0 ? '' : `; ${released} released`;
  return `${total - released} uploads${named.map(([verdict, count]) => `, ${count} ${visible(verdict, 40)}`).join('')}${copies}`;
}

function peopleText(waits: People | Hidden, now: number): string {
  if ('hidden' in waits) return visible(waits.hidden, 300);
  const { waiting, held, isAll, oldestAt } = waits;
  if (oldestAt === null) return 'nothing waits for a decision';
  const many = `${waiting}${isAll ? '' : ' or more'} ${waiting === 1 ? 'review waits' : 'reviews wait'}`;
  return `${many} for a decision, ${held} held by somebody, the oldest${isAll ? '' : ' of these'} for ${durationText(now - Date.parse(oldestAt))}; see: sallyport review list`;
}
