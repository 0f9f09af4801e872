import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { durationText } from '../../outbound/safe-text.js';
import { parseBucket, s3Url } from '../s3-url.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

interface Queue {
  readonly endpointId: string;
  readonly bucket: string;
  readonly source: string;
  readonly waiting: number;
  readonly postponed: number;
  readonly oldestAgeSeconds: number | null;
  readonly running: number;
  readonly dead: number;
  readonly paused: boolean;
}

interface Pause {
  readonly queue: string;
  readonly reason: string | null;
  readonly pausedBy: string;
  readonly pausedAt: string;
}

interface Summary {
  readonly waiting: number;
  readonly running: number;
  readonly dead: number;
  readonly maxRunning: number;
  readonly pauses: readonly Pause[];
  readonly queues: readonly Queue[];
}

interface Item {
  readonly scanId: string;
  readonly bucket: string;
  readonly key: string;
  readonly source: string;
  readonly priority: number | null;
  readonly workflowName: string;
  readonly enqueuedAt: string;
  readonly attempts: number | null;
  readonly code: string | null;
  readonly reason: string | null;
  /** Absent in the answer of an older service. */
  readonly pause?: Pause | null;
}

interface ItemPage {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

interface ItemAnswer {
  readonly scanId: string;
  readonly state: string;
}

interface PauseAnswer {
  readonly queue: string;
  readonly paused: boolean;
  /** Absent in the answer of an older service. */
  readonly changed?: boolean;
  readonly settled: boolean;
}

interface Redriven {
  readonly redriven: number;
  readonly left: number;
}

const SOURCES = 'request, upload, rescan or backfill';
// Of 5,000 each: more dead letters than a disk holds.
const MAX_CALLS = 10_000;

/** `queue list|show|pause|resume|requeue|cancel|dead-letters|redrive`: what waits to be scanned. */
export function addQueue(program: Command, cli: Cli): void {
  const group = program
    .command('queue')
    .description('what waits to be scanned: look at it, stop it, hasten it');
  group
    .command('list')
    .description('what waits, runs and could not be started, by queue')
    .action(async () => {
      cli.print(await cli.client.call<Summary>('GET', '/api/v1/queue'), summaryLines);
    });
  filtered(group.command('show').description('list the scans that wait, the oldest first'))
    .option('--state <STATE>', 'waiting, postponed, running or dead', 'waiting')
    .action((options: Filter & Paging & { state: string }) => list(cli, '/api/v1/queue/items', options));
  addSteering(group, cli);
  addSingle(group, cli);
  addDead(group, cli);
}

function addSteering(group: Command, cli: Cli): void {
  queueOf(group.command('pause'))
    .description('start nothing more of a bucket, of a source, or at all; what comes is taken in')
    .option('--all', 'everything')
    .option('--reason <TEXT>', 'kept with it')
    .action(async ({ reason, ...wanted }: QueueOptions & { reason?: string }) => {
      const body = { ...queueNamed('pause', wanted), reason };
      cli.print(await cli.client.call<PauseAnswer>('POST', '/api/v1/queue/pause', body), (answer) => [
        `Paused: ${answer.queue}. Go on with: sallyport queue resume ${namedAs(wanted)}`,
        ...(answer.settled ? [] : ['Starts that were chosen before are still under way.']),
      ]);
    });
  queueOf(group.command('resume'))
    .description('go on after a pause; name what was paused as it was named then')
    .option('--all', 'the pause of everything')
    .action(async (wanted: QueueOptions) => {
      const body = queueNamed('resume', wanted);
      cli.print(await cli.client.call<PauseAnswer>('POST', '/api/v1/queue/resume', body), (answer) => [
        answer.changed === false
          ? `Nothing to resume: ${answer.queue} was not paused. What is: sallyport queue list`
          : `Resumed: ${answer.queue}.`,
      ]);
    });
}

function addSingle(group: Command, cli: Cli): void {
  group
    .command('requeue')
    .description('start a scan as soon as it may be; one that is over is made once more')
    .argument('<SCAN>', 'the id of the scan')
    .option('--priority <N>', '0 to 99, higher first', wholeNumber('--priority', 0, 99))
    .action(async (scan: string, { priority }: { priority?: number }) => {
      const answer = await cli.client.call<ItemAnswer>('POST', `${itemPath(scan)}/requeue`, { priority });
      cli.print(answer, () => [`It waits: ${answer.scanId}`]);
    });
  group
    .command('cancel')
    .description('take a scan that waits out of its queue; the ledger says skipped')
    .argument('<SCAN>', 'the id of the scan')
    .option('--reason <TEXT>', 'kept with it')
    .action(async (scan: string, { reason }: { reason?: string }) => {
      const answer = await cli.client.call<ItemAnswer>('POST', `${itemPath(scan)}/cancel`, { reason });
      cli.print(answer, () => ['Cancelled.']);
    });
}

function addDead(group: Command, cli: Cli): void {
  filtered(
    group.command('dead-letters').description('list the scans that could not be started, the newest first'),
  ).action((options: Filter & Paging) => list(cli, '/api/v1/queue/dead-letters', options));
  group
    .command('redrive')
    .description('let scans that could not be started wait again')
    .argument('[SCAN]', 'the id of one scan')
    .option('--bucket <BUCKET>')
    .option('--source <SOURCE>', SOURCES)
    .option('--code <CODE>', 'of the error, as the list shows it')
    .option('--workflow <NAME>', 'that could not be started')
    .option('--all', 'every one')
    .option('--new-workflow <NAME>', 'start this one instead')
    .action(async (scanId: string | undefined, options: Record<string, string | boolean | undefined>) => {
      const { bucket, source, code, workflow, all, newWorkflow } = options;
      const filter = { scanId, bucket: bucketOf(bucket), source, code, workflowName: workflow };
      if (all === true && Object.values(filter).some((value) => value !== undefined))
        throw new CommandError('redrive: --all means every one; leave it out, or the others.');
      if (all !== true && Object.values(filter).every((value) => value === undefined))
        throw new CommandError(
          'redrive: say which: a scan, --bucket, --source, --code, --workflow or --all.',
        );
      const redriven = await redriveAll(cli, {
        ...filter,
        ...(all === true && { all }),
        newWorkflowName: newWorkflow,
      });
      cli.print({ redriven }, () => [
        redriven === 0
          ? 'Nothing to redrive.'
          : redriven === 1
            ? '1 scan waits again.'
            : `${redriven} scans wait again.`,
      ]);
      // Whoever names some expects them to be there.
      if (redriven === 0 && all !== true) cli.exitCode = 1;
    });
}

/** One call moves a few thousand; what fails again meanwhile is not moved for ever. */
async function redriveAll(cli: Cli, body: Record<string, unknown>): Promise<number> {
  const progress = cli.progress('scans');
  let redriven = 0;
  let total: number | undefined;
  try {
    for (let call = 0; call < MAX_CALLS; call += 1) {
      const answer = await cli.client.call<Redriven>('POST', '/api/v1/queue/dead-letters/redrive', body);
      redriven += answer.redriven;
      total ??= answer.redriven + answer.left;
      progress.show({ done: redriven, total });
      if (answer.redriven === 0 || answer.left === 0 || redriven >= total) break;
    }
  } finally {
    progress.end();
  }
  return redriven;
}

interface Filter {
  readonly bucket?: string;
  readonly source?: string;
}
interface Paging {
  readonly limit: number;
  readonly cursor?: string;
}
interface QueueOptions extends Filter {
  readonly endpoint?: string;
  readonly all?: true;
}

const filtered = (command: Command): Command =>
  command
    .option('--bucket <BUCKET>', 'of this bucket only')
    .option('--source <SOURCE>', `of this source only: ${SOURCES}`)
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 500), 50)
    .option('--cursor <CURSOR>', 'the next page, as the last one said');

const queueOf = (command: Command): Command =>
  command
    .option('--bucket <BUCKET>', 'its name, or s3://name')
    .option('--endpoint <ID>', 'where it is; needed when several have one of this name')
    .option('--source <SOURCE>', SOURCES);

function queueNamed(
  command: string,
  { bucket, endpoint, source, all }: QueueOptions,
): Record<string, unknown> {
  const isNamed = bucket !== undefined || source !== undefined;
  if (isNamed === (all === true))
    throw new CommandError(`${command}: name either --bucket, --source or both, or --all.`);
  return { bucket: bucketOf(bucket), endpointId: endpoint, source };
}

/** What names the same queue again. */
const namedAs = ({ bucket, endpoint, source }: QueueOptions): string => {
  const given = { bucket: bucketOf(bucket), endpoint, source };
  const options = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${value}`],
  );
  return options.length === 0 ? '--all' : options.join(' ');
};

const bucketOf = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' ? parseBucket(value) : undefined;

const itemPath = (scan: string): string => `/api/v1/queue/items/${encodeURIComponent(scan)}`;

async function list(cli: Cli, path: string, options: Filter & Paging & { state?: string }): Promise<void> {
  const { state, source, limit, cursor } = options;
  const page = await cli.client.call<ItemPage>(
    'GET',
    query(path, { state, bucket: bucketOf(options.bucket), source, limit, cursor }),
  );
  cli.print(page, ({ items }) =>
    table(
      ['SCAN', 'OBJECT', 'SOURCE', 'PRIORITY', 'SINCE', 'TRIES', 'WHY'],
      items.map((one) => [
        one.scanId,
        s3Url(one.bucket, one.key),
        one.source,
        one.priority,
        one.enqueuedAt,
        one.attempts,
        whyOf(one),
      ]),
    ),
  );
  cli.more(page.nextCursor);
}

/** Why it does not run: who stopped its queue, or what its last start failed of. */
function whyOf({ pause, code, reason }: Item): string | null {
  if (pause !== undefined && pause !== null) {
    const { pausedBy, pausedAt, reason: said } = pause;
    return `paused by ${pausedBy} at ${pausedAt}${said === null ? '' : `: ${said}`}`;
  }
  return code === null ? reason : `${code}: ${reason ?? ''}`;
}

function summaryLines(summary: Summary): string[] {
  const { waiting, running, dead, maxRunning, pauses, queues } = summary;
  return [
    `${waiting} wait, ${running} of ${maxRunning} run, ${dead} could not be started`,
    ...table(
      ['BUCKET', 'SOURCE', 'WAITING', 'RUNNING', 'DEAD', 'OLDEST', 'STATE'],
      queues.map((one) => [
        one.bucket,
        one.source,
        one.waiting,
        one.running,
        one.dead,
        one.oldestAgeSeconds === null ? null : durationText(one.oldestAgeSeconds * 1000),
        one.paused ? 'paused' : one.postponed > 0 ? `${one.postponed} tried again later` : null,
      ]),
    ),
    ...(pauses.length === 0 ? [] : ['']),
    ...table(
      ['PAUSED', 'SINCE', 'BY', 'REASON'],
      pauses.map((one) => [one.queue, one.pausedAt, one.pausedBy, one.reason]),
    ).slice(pauses.length === 0 ? 1 : 0),
  ];
}
