import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { facts } from '../facts.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';
import { waitFor } from '../waiting.js';
import { addReportVerify } from './report-verify.js';

interface Report {
  readonly id: string;
  readonly kind: string;
  readonly label: string;
  readonly from: string;
  readonly to: string;
  readonly status: 'pending' | 'ready' | 'failed';
  readonly workflowId: string;
  readonly createdAt: string;
  readonly renderedAt: string | null;
  readonly mailedAt: string | null;
  readonly sha256: string | null;
  readonly manifestSha256: string | null;
  readonly coverage: {
    readonly addsUp: boolean;
    readonly uploaded: number;
    readonly copies?: { readonly opened: number };
  } | null;
}

/** One report, with what became of it. */
interface ReportDetail extends Report {
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
  readonly deliveries: readonly {
    readonly to: string;
    readonly state: string;
    readonly reason: string | null;
  }[];
  readonly reading: {
    readonly reviewId: string;
    readonly state: string;
    readonly by: string | null;
    readonly at: string | null;
    readonly outcome: string | null;
  } | null;
  readonly restated: readonly {
    readonly label: string;
    readonly figure: string;
    readonly stated: number;
    readonly now: number;
  }[];
}

interface ReportPage {
  readonly items: readonly Report[];
  readonly nextCursor?: string;
}

interface WaitOptions {
  readonly wait?: true;
  readonly timeout: number;
}

const KINDS = ['weekly', 'monthly', 'quarterly', 'range'];
const FORMATS = ['html', 'pdf', 'json', 'bundle'] as const;
type Format = (typeof FORMATS)[number];

/** `report list|create|get|download|verify`. */
export function addReport(program: Command, cli: Cli): void {
  const group = program.command('report').description('the reports for an auditor');
  group
    .command('list')
    .description('list reports, the newest first')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 200), 50)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async ({ limit, cursor }: { limit: number; cursor?: string }) => {
      const page = await cli.client.call<ReportPage>('GET', query('/api/v1/reports', { limit, cursor }));
      cli.print(page, ({ items }) =>
        table(
          ['ID', 'KIND', 'PERIOD', 'STATUS', 'CREATED', 'ADDS UP'],
          items.map((one) => [
            one.id,
            one.kind,
            one.label,
            one.status,
            one.createdAt,
            yesNo(one.coverage?.addsUp),
          ]),
        ),
      );
      cli.more(page.nextCursor);
    });
  waiting(group.command('create').description('ask for a report; the week so far when no period is named'))
    .addOption(
      new Option('--kind <KIND>', 'of which period; a range needs --from and --to')
        .choices(KINDS)
        .default('weekly'),
    )
    .option(
      '--from <TIME>',
      'a day or time, as in 2026-01-05: the whole period that holds it, or exactly from then on where an end is named',
    )
    .option('--to <TIME>', 'until then, exclusive; needs --from')
    .action(async (options: WaitOptions & { kind: string; from?: string; to?: string }) => {
      const { kind, from, to } = options;
      const asked = await cli.client.call<Report>('POST', '/api/v1/reports', { kind, from, to });
      cli.print(options.wait === true ? await ready(cli, asked.id, options.timeout) : asked, shown);
    });
  waiting(group.command('get').description('show how a report is').argument('<ID>')).action(
    async (id: string, options: WaitOptions) =>
      cli.print(options.wait === true ? await ready(cli, id, options.timeout) : await get(cli, id), shown),
  );
  waiting(group.command('download').description('the report itself, as it was rendered').argument('<ID>'))
    .addOption(
      new Option(
        '--format <FORMAT>',
        'of the file; bundle is everything, as one signed archive, for the role auditor',
      )
        .choices(FORMATS)
        .default('html'),
    )
    .option('--output <FILE>', 'write it there, where nothing is yet; to stdout by default')
    .action((id: string, options: WaitOptions & { format: Format; output?: string }) =>
      download(cli, id, options),
    );
  addReportVerify(group, cli);
}

const waiting = (command: Command): Command =>
  command
    .option('--wait', 'until it is rendered')
    .option('--timeout <SECONDS>', 'wait no longer', wholeNumber('--timeout', 1, 86_400), 600);

async function download(
  cli: Cli,
  id: string,
  options: WaitOptions & { readonly format: Format; readonly output?: string },
): Promise<void> {
  const { format, output } = options;
  if (options.wait === true) await ready(cli, id, options.timeout);
  if (output === undefined && (format === 'pdf' || format === 'bundle'))
    throw new CommandError(`--output: name the file to write; a ${format} is nothing for a terminal.`);
  const bytes = await cli.client.file(`${pathOf(id)}/${cli.json && output === undefined ? 'json' : format}`);
  if (output === undefined) return cli.out(bytes.toString('utf8').replace(/\n$/, ''));
  try {
    // An earlier report is somebody's evidence.
    writeFileSync(output, bytes, { flag: 'wx' });
  } catch (error) {
    throw new CommandError(
      `--output: ${(error as Error).message}. Name a new file in a folder that is yours.`,
      {
        cause: error,
      },
    );
  }
  cli.print({ id, format, output, bytes: bytes.length }, () => [`${output}: ${bytes.length} bytes`]);
}

const pathOf = (id: string): string => `/api/v1/reports/${encodeURIComponent(id)}`;
const get = (cli: Cli, id: string): Promise<ReportDetail> => cli.client.call('GET', pathOf(id));

async function ready(cli: Cli, id: string, timeoutSeconds: number): Promise<ReportDetail> {
  const progress = cli.progress('reports');
  const look = async (): Promise<ReportDetail | undefined> => {
    const report = await get(cli, id);
    if (report.status === 'failed')
      throw new CommandError(
        `Its workflow ended without it: sallyport workflow get ${report.workflowId} shows why, and retry goes on.`,
      );
    progress.show({ done: report.status === 'ready' ? 1 : 0, total: 1, detail: report.status });
    return report.status === 'ready' ? report : undefined;
  };
  try {
    return await waitFor(cli, look, { timeoutSeconds, what: 'report' });
  } finally {
    progress.end();
  }
}

const shown = (report: Report | ReportDetail): string[] =>
  facts([
    ['report', report.label],
    ['kind', report.kind],
    ['id', report.id],
    ['status', report.status],
    ['from', report.from],
    ['to', report.to],
    ['created', report.createdAt],
    ['rendered', report.renderedAt],
    ['mailed', report.mailedAt],
    ['uploaded', report.coverage?.uploaded],
    // Reports of an earlier release say nothing of copies.
    ['copies', copiesOf(report)],
    ['adds up', yesNo(report.coverage?.addsUp)],
    ['sha-256', report.sha256],
    ['manifest', report.manifestSha256],
    ['workflow', report.workflowId],
    ...('files' in report ? detailFacts(report) : []),
  ]);

const detailFacts = ({ files, deliveries, reading, restated }: ReportDetail): [string, string][] => [
  ...files.map(({ name, bytes }): [string, string] => ['file', `${name}, ${bytes} bytes`]),
  ...deliveries.map(({ to, state, reason }): [string, string] => [
    'mailed to',
    `${to}: ${state}${reason === null ? '' : ` (${reason})`}`,
  ]),
  ...(reading === null ? [] : [['read', readingText(reading)] as [string, string]]),
  ...restated.map(({ label, figure, stated, now }): [string, string] => [
    'restates',
    `${label} ${figure}: ${stated} is ${now}`,
  ]),
];

const readingText = ({ state, by, at, reviewId }: NonNullable<ReportDetail['reading']>): string =>
  by === null ? `${state}; review ${reviewId}` : `${state} by ${by} at ${at ?? ''}; review ${reviewId}`;

const copiesOf = ({ coverage }: Report): string | undefined => {
  const count = coverage?.copies?.opened ?? 0;
  return count === 0 ? undefined : `${count} written by releases`;
};

const yesNo = (is: boolean | undefined): string | undefined =>
  is === undefined ? undefined : is ? 'yes' : 'NO';
