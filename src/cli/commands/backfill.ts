import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import type { RunAnswer } from '../../intake/listing/run-answer.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import {
  askerOf,
  begunLines,
  choiceLines,
  estimateLines,
  isOnlyEstimated,
  runLines,
  whereOf,
  type RunPage,
} from '../listing-runs.js';
import { parseS3Url } from '../s3-url.js';
import { table } from '../table.js';
import { listOf, query, wholeNumber } from '../values.js';
import { waitFor } from '../waiting.js';

interface BackfillWish {
  readonly estimate?: true;
  readonly yes?: true;
  readonly wait?: true;
  readonly current?: true;
  readonly rescan?: true;
  readonly since?: string;
  readonly until?: string;
  readonly endpoint?: string;
}

// A hundred million objects take days; whoever looks on may leave at any time.
const PATIENCE_SECONDS = 30 * 86_400;
const MAX_TROUBLE = 200;
const PATH = '/api/v1/backfills';
const OVER = new Set(['completed', 'cancelled', 'failed', 'estimated', 'paused']);

/** `backfill s3://bucket[/prefix]`, `backfill list|show|…`, `rescan`, `reconcile`. */
export function addBackfill(program: Command, cli: Cli): void {
  const group = program
    .command('backfill')
    .description('scan what was in a bucket before: an estimate first, then at your word')
    .argument('<S3_URL>', 's3://bucket, or s3://bucket/prefix')
    .option('--estimate', 'say what it would come to, and do nothing')
    .option('--yes', 'begin without asking for a second word')
    .option('--wait', 'show how far it is until it ends; exit code 1 when it does not complete')
    .option('--current', 'only what is there now, not every version')
    .option('--rescan', 'also what has a verdict')
    .option('--since <TIME>', 'uploaded at or after, as in 2026-01-31 or 2026-01-31T08:00Z')
    .option('--until <TIME>', 'uploaded before')
    .option('--endpoint <ID>', 'where several endpoints have a bucket of this name')
    .action((url: string, wish: BackfillWish) => backfill(cli, url, wish));
  addList(group, cli);
  addSteering(group, cli);
  addRescan(program, cli);
  addReconcile(program, cli);
}

async function backfill(cli: Cli, url: string, wish: BackfillWish): Promise<void> {
  const made = await cli.client.call<RunAnswer>('POST', PATH, {
    ...placeIn(url),
    versions: wish.current === true ? 'current' : 'all',
    rescan: wish.rescan === true,
    dryRun: wish.estimate === true,
    ...(wish.since !== undefined && { uploadedAfter: wish.since }),
    ...(wish.until !== undefined && { uploadedBefore: wish.until }),
    ...(wish.endpoint !== undefined && { endpointId: wish.endpoint }),
  });
  const estimated = await watched(cli, made.id, (run) => run.state !== 'estimating');
  const { estimate } = estimated;
  if (estimate === null) throw new CommandError(estimated.error ?? 'There is no estimate.');
  if (estimated.state !== 'estimated' || wish.yes !== true) {
    return cli.print(estimated, (run) => [
      ...estimateLines(estimate),
      ...(run.state === 'estimated' ? ['', ...choiceLines(run)] : []),
      ...(wish.estimate !== true && estimate.toScan === 0
        ? ['', 'There is nothing to do: all of it has a verdict, or is not scanned by a rule.']
        : []),
    ]);
  }
  if (!cli.json) for (const line of estimateLines(estimate)) cli.out(line);
  const started = await cli.client.call<RunAnswer>('POST', `${PATH}/${estimated.id}/start`);
  if (wish.wait !== true) return cli.print(started, begunLines);
  await awaited(cli, started.id);
}

function addList(group: Command, cli: Cli): void {
  group
    .command('list')
    .description('list backfills, rescans and reconciliations, the newest first')
    .option('--kind <KIND>', 'backfill, rescan or reconcile')
    .option('--state <STATE>', 'as in running')
    .option('--bucket <NAME>')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 200), 50)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async (options: Record<string, string | number | undefined>) => {
      const { kind, state, bucket, limit, cursor } = options;
      const path = query(PATH, { kind, state, bucket, limit, cursor });
      const page = await cli.client.call<RunPage>('GET', path);
      cli.print(page, ({ items }) =>
        table(
          ['ID', 'KIND', 'STATE', 'WHERE', 'DONE', 'OF', 'BEGUN', 'BY'],
          items.map((run) => [
            run.id,
            run.kind,
            isOnlyEstimated(run) && run.state === 'completed' ? 'completed (estimate)' : run.state,
            whereOf(run),
            isOnlyEstimated(run) ? null : run.progress.done,
            isOnlyEstimated(run) ? null : run.progress.total,
            run.createdAt,
            askerOf(run),
          ]),
        ),
      );
      cli.more(page.nextCursor);
    });
}

function addSteering(group: Command, cli: Cli): void {
  group
    .command('show')
    .description('show one, with its estimate, its counts and its verdicts')
    .argument('<ID>')
    .action(async (id: string) => cli.print(await find(cli, id), runLines));
  group
    .command('wait')
    .description('show how far one is until it ends; exit code 1 when it does not complete')
    .argument('<ID>')
    .action((id: string) => awaited(cli, id));
  const steer = (verb: string, description: string): void => {
    group
      .command(verb)
      .description(description)
      .argument('<ID>')
      .action(async (id: string) => {
        const run = await cli.client.call<RunAnswer>('POST', `${pathOf(id)}/${verb}`);
        cli.print(run, () => [`${run.kind} ${run.id}: ${run.state}`]);
      });
  };
  steer('start', 'begin what was estimated');
  steer('pause', 'list nothing more, and hold what waits');
  steer('resume', 'go on after a pause or a failure');
  steer('cancel', 'end it, and take back what has not begun');
}

function addRescan(program: Command, cli: Cli): void {
  program
    .command('rescan')
    .description('scan objects of the ledger again')
    .argument('[S3_URL]', 's3://bucket, or s3://bucket/prefix; everything when absent')
    .option('--verdicts <LIST>', 'by comma; clean,incomplete when absent')
    .option('--not-scanned-days <N>', 'whose verdict is older', wholeNumber('--not-scanned-days', 0, 36_500))
    .option('--max-age-days <N>', 'first seen within so many days', wholeNumber('--max-age-days', 0, 36_500))
    .option('--wait', 'show how far it is until it ends; exit code 1 when it does not complete')
    .action(async (url: string | undefined, options: Record<string, string | number | true | undefined>) => {
      const { verdicts, notScannedDays, maxAgeDays } = options;
      const run = await cli.client.call<RunAnswer>('POST', '/api/v1/rescans', {
        ...(url !== undefined && placeIn(url)),
        ...(verdicts !== undefined && { verdicts: listOf(String(verdicts)) }),
        ...(notScannedDays !== undefined && { notScannedDays }),
        ...(maxAgeDays !== undefined && { maxAgeDays }),
      });
      if (options['wait'] === true) return awaited(cli, run.id);
      cli.print(run, begunLines);
    });
}

function addReconcile(program: Command, cli: Cli): void {
  program
    .command('reconcile')
    .description('compare buckets with the ledger, and scan what no event told of')
    .argument('[S3_URL]', 's3://bucket, or s3://bucket/prefix; every bucket when absent')
    .option('--include-older', 'scan also what was uploaded before the bucket was registered')
    .option(
      '--grace-seconds <N>',
      'leave younger uploads to their events',
      wholeNumber('--grace-seconds', 0, 604_800),
    )
    .option('--wait', 'show how far it is until it ends; exit code 1 when one does not complete')
    .action(async (url: string | undefined, options: Record<string, number | true | undefined>) => {
      const { graceSeconds, includeOlder } = options;
      const begun = await cli.client.call<RunPage>('POST', '/api/v1/reconciles', {
        ...(url !== undefined && placeIn(url)),
        ...(includeOlder === true && { includeOlder }),
        ...(graceSeconds !== undefined && { graceSeconds }),
      });
      if (options['wait'] !== true) {
        return cli.print(begun, ({ items }) => items.flatMap(begunLines));
      }
      for (const run of begun.items) await awaited(cli, run.id);
    });
}

/** Shows the bar until the run ends, then what it came to. */
async function awaited(cli: Cli, id: string): Promise<void> {
  const run = await watched(cli, id, ({ state }) => OVER.has(state));
  cli.print(run, runLines);
  if (run.state !== 'completed') cli.exitCode = 1;
}

async function watched(cli: Cli, id: string, isOver: (run: RunAnswer) => boolean): Promise<RunAnswer> {
  const progress = cli.progress('objects');
  try {
    return await waitFor(
      cli,
      async () => {
        const run = await find(cli, id);
        const { done, total } = run.progress;
        if (isOver(run)) {
          if (!isOnlyEstimated(run))
            progress.show({ done, ...(total !== null && { total }), detail: run.state });
          return run;
        }
        const trouble = run.error === null ? '' : `  ${visible(run.error, MAX_TROUBLE)}`;
        progress.show({ done, ...(total !== null && { total }), detail: `${run.state}${trouble}` });
        return undefined;
      },
      { timeoutSeconds: PATIENCE_SECONDS, what: 'end' },
    );
  } finally {
    progress.end();
  }
}

const find = (cli: Cli, id: string): Promise<RunAnswer> => cli.client.call<RunAnswer>('GET', pathOf(id));
const pathOf = (id: string): string => `${PATH}/${encodeURIComponent(id)}`;

function placeIn(url: string): { bucket: string; prefix: string } {
  const { bucket, key: prefix = '' } = parseS3Url(url);
  return { bucket, prefix };
}
