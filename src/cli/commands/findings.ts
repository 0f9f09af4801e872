import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli.js';
import { bucketsNamed } from '../buckets.js';
import { CommandError } from '../command-error.js';
import { surenessOf } from '../findings.js';
import { parseS3Url, s3Url } from '../s3-url.js';
import { cursorOf, SarifPages, type SarifPage } from '../sarif-pages.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

interface Finding {
  readonly bucket: string;
  readonly key: string;
  readonly path: string;
  readonly line: number | null;
  readonly kind: string;
  readonly ruleId: string;
  readonly severity: string;
  readonly confidence: string;
  readonly accepted: boolean;
}

interface FindingsPage {
  readonly items: readonly Finding[];
  readonly nextCursor?: string;
}

interface Options {
  readonly format?: 'json' | 'sarif';
  readonly output?: string;
  readonly verdict?: string;
  readonly kind?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

/** What is found, and where it goes on when there is more than was asked for. */
interface Exported {
  readonly text: string;
  readonly count: number;
  readonly isCut: boolean;
}

// Findings that the service looks at for one page.
const PAGE = 5000;
// They are held in memory until the last one is there.
const MAX_FINDINGS = 1_000_000;

/** `findings`: what was found, for other tools. */
export function addFindings(program: Command, cli: Cli): void {
  program
    .command('findings')
    .description('what was found in the objects, by the scan that each is judged by; never a secret itself')
    .argument('[S3-URL]', 's3://bucket, or s3://bucket/prefix for keys that begin so')
    .addOption(
      new Option('--format <FORMAT>', 'of the answer; a table by default').choices(['json', 'sarif']),
    )
    .option('--output <FILE>', 'write it there, where nothing is yet; to stdout by default')
    .option('--verdict <VERDICTS>', 'of objects with one of these, by comma')
    .addOption(new Option('--kind <KIND>').choices(['secret', 'malware']))
    .option('--from <TIME>', 'of objects seen from then on, as in 2026-01-31T00:00:00Z')
    .option('--to <TIME>', 'of objects seen before then')
    .option(
      '--limit <N>',
      'at most so many, give or take a page',
      wholeNumber('--limit', 1, MAX_FINDINGS),
      100_000,
    )
    .action((place: string | undefined, options: Options) => exportFindings(cli, place, options));
}

async function exportFindings(cli: Cli, place: string | undefined, options: Options): Promise<void> {
  const { bucket, key: prefix } = place === undefined ? {} : parseS3Url(place);
  const { format, output, limit, ...filter } = options;
  const pathOf = (cursor: string | undefined): string =>
    query('/api/v1/findings', {
      ...filter,
      bucket,
      prefix,
      limit: PAGE,
      format: format === 'sarif' ? 'sarif' : undefined,
      cursor,
    });
  const { text, count, isCut } =
    format === 'sarif'
      ? await sarifOf(cli, pathOf, limit)
      : await listOf(cli, pathOf, limit, format === 'json' || cli.json || output !== undefined);
  if (count === 0 && bucket !== undefined) await mustBeKnown(cli, bucket);
  if (output === undefined) cli.out(text);
  else {
    write(output, text);
    cli.print({ output, findings: count, complete: !isCut }, () => [`${output}: ${count} findings`]);
  }
  if (!isCut) return;
  cli.exitCode = 1;
  cli.note(`there are more than ${limit}: raise --limit, or narrow by s3://bucket/prefix, --from and --to`);
}

/** Nothing found is good news only of a bucket that is looked at, or was. */
async function mustBeKnown(cli: Cli, bucket: string): Promise<void> {
  const seen = await cli.client.call<{ items: readonly unknown[] }>(
    'GET',
    query('/api/v1/objects', { bucket, limit: 1 }),
  );
  if (seen.items.length > 0 || (await bucketsNamed(cli, bucket)).length > 0) return;
  throw new CommandError(`No bucket ${bucket} is registered. See: sallyport bucket list`);
}

type PathOf = (cursor: string | undefined) => string;

async function sarifOf(cli: Cli, pathOf: PathOf, limit: number): Promise<Exported> {
  const pages = new SarifPages();
  let cursor: string | undefined;
  do {
    const page = await cli.client.call<SarifPage>('GET', pathOf(cursor));
    pages.add(page);
    cursor = cursorOf(page);
  } while (cursor !== undefined && pages.count < limit);
  const text = JSON.stringify(pages.whole(cursor), null, 2);
  return { text, count: pages.count, isCut: cursor !== undefined };
}

async function listOf(cli: Cli, pathOf: PathOf, limit: number, asJson: boolean): Promise<Exported> {
  const items: Finding[] = [];
  let cursor: string | undefined;
  do {
    const page: FindingsPage = await cli.client.call<FindingsPage>('GET', pathOf(cursor));
    for (const item of page.items) items.push(item);
    cursor = page.nextCursor;
  } while (cursor !== undefined && items.length < limit);
  const whole: FindingsPage = { items, ...(cursor !== undefined && { nextCursor: cursor }) };
  const text = asJson ? JSON.stringify(whole, null, 2) : shown(items).join('\n');
  return { text, count: items.length, isCut: cursor !== undefined };
}

const shown = (items: readonly Finding[]): string[] =>
  table(
    ['SEVERITY', 'CONFIDENCE', 'KIND', 'RULE', 'COUNTS', 'OBJECT', 'PLACE'],
    items.map((one) => [
      one.severity,
      surenessOf(one.confidence),
      one.kind,
      one.ruleId,
      one.accepted ? 'accepted' : 'yes',
      s3Url(one.bucket, one.key),
      [one.path, one.line].filter((part) => part !== '' && part !== null).join(':'),
    ]),
  );

function write(file: string, text: string): void {
  try {
    // An earlier export is somebody's evidence; who may read the findings, the writer says.
    writeFileSync(file, `${text}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw new CommandError(
      `--output: ${(error as Error).message}. Name a new file in a folder that is yours.`,
      { cause: error },
    );
  }
}
