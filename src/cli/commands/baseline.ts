import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { knownFindingsIn } from '../known-findings.js';
import { parseBucket } from '../s3-url.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

interface Entry {
  readonly fingerprint: string;
  readonly bucket: string | null;
  readonly ruleId: string | null;
  readonly reason: string;
  readonly expiresAt: string | null;
  readonly expired: boolean;
  readonly createdAt: string;
  readonly createdBy: string;
}

interface Page {
  readonly items: readonly Entry[];
  readonly nextCursor?: string;
}

interface Change {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

interface Removal {
  readonly removed: number;
  readonly next: string;
}

interface NewEntry {
  readonly reason: string;
  readonly bucket?: string;
  readonly expires?: string;
}

const MAX_FINGERPRINT = 200;
// What the service takes in one request.
const MAX_ENTRIES = 1000;
// A hundred thousand findings; more is no list that anybody looked through.
const MAX_FILE_BYTES = 256 * 1024 ** 2;

/** `baseline list|add|remove|import`: secrets that people know of and answer for. */
export function addBaseline(program: Command, cli: Cli): void {
  const group = program
    .command('baseline')
    .description('known secrets, by fingerprint: found again, they are recorded and make no verdict');
  group
    .command('list')
    .description('list them by fingerprint')
    .option('--bucket <BUCKET>', 'those that count there')
    .option('--fingerprint <FINGERPRINT>')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 500), 100)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async (options: { bucket?: string; fingerprint?: string; limit: number; cursor?: string }) => {
      const bucket = options.bucket === undefined ? undefined : parseBucket(options.bucket);
      const page = await cli.client.call<Page>('GET', query('/api/v1/baseline', { ...options, bucket }));
      cli.print(page, listed);
      cli.more(page.nextCursor);
    });
  answered(
    group
      .command('add')
      .description('answer for a secret: what has its fingerprint counts no more from the next scan on')
      .argument('<FINGERPRINT>', 'as a finding tells it'),
  )
    .option('--rule <RULE>', 'only where this rule finds it')
    .action(async (fingerprint: string, { rule, ...entry }: NewEntry & { rule?: string }) => {
      const added = { fingerprint, ...(rule !== undefined && { ruleId: rule }), ...partsOf(entry) };
      cli.print(await cli.client.call<Change>('POST', '/api/v1/baseline', added), said);
    });
  group
    .command('remove')
    .description('from the next scan on it counts again; what is judged already is to be scanned again')
    .argument('<FINGERPRINT>')
    .option('--bucket <BUCKET>', 'only the entry of this bucket; all entries by default')
    .action(async (fingerprint: string, options: { bucket?: string }) => {
      const bucket = options.bucket === undefined ? undefined : parseBucket(options.bucket);
      const removal = await cli.client.call<Removal>(
        'DELETE',
        query(`/api/v1/baseline/${encodeURIComponent(fingerprint)}`, { bucket }),
      );
      cli.print(removal, ({ removed, next }) => [`${removed} removed. ${next}`]);
    });
  answered(
    group
      .command('import')
      .description(
        "answer for all findings of a file: `sallyport findings` as JSON or SARIF; of gitleaks' reports those with our fingerprints",
      )
      .argument('<FILE>'),
  ).action((file: string, entry: NewEntry) => importFile(cli, file, entry));
}

/** A fingerprint is longer than a cell, and no use when it is cut. */
function listed({ items }: Page): string[] {
  const prints = ['FINGERPRINT', ...items.map(({ fingerprint }) => visible(fingerprint, MAX_FINGERPRINT))];
  const width = Math.max(...prints.map((print) => print.length));
  const rows = table(
    ['BUCKET', 'RULE', 'EXPIRES', 'BY', 'REASON'],
    items.map((one) => [
      one.bucket ?? 'all',
      one.ruleId ?? 'all',
      one.expired ? `over since ${one.expiresAt}` : one.expiresAt,
      one.createdBy,
      one.reason,
    ]),
  );
  return rows.map((row, index) => `${(prints[index] ?? '').padEnd(width)}  ${row}`);
}

const answered = (command: Command): Command =>
  command
    .requiredOption('--reason <TEXT>', 'why it is no danger, for whoever asks later')
    .option('--bucket <BUCKET>', 'only there; in every bucket by default')
    .option('--expires <TIME>', 'until then, as in 2027-01-31T00:00:00Z; for ever by default');

const partsOf = ({ reason, bucket, expires }: NewEntry) => ({
  reason,
  ...(bucket !== undefined && { bucket: parseBucket(bucket) }),
  ...(expires !== undefined && { expiresAt: expires }),
});

async function importFile(cli: Cli, file: string, entry: NewEntry): Promise<void> {
  const { format, known, unusable } = knownFindingsIn(read(file));
  if (known.length === 0)
    throw new CommandError(`${file}: nothing can be taken in. ${whyUnusable(unusable, format)}`);
  const sum = { added: 0, changed: 0, unchanged: 0, unusable };
  for (let from = 0; from < known.length; from += MAX_ENTRIES) {
    const part = known.slice(from, from + MAX_ENTRIES).map(({ fingerprint }) => ({
      fingerprint,
      ...partsOf(entry),
    }));
    const change = await cli.client.call<Change>('POST', '/api/v1/baseline', part);
    sum.added += change.added;
    sum.changed += change.changed;
    sum.unchanged += change.unchanged;
  }
  cli.exitCode = unusable === 0 ? 0 : 1;
  cli.print(sum, said);
  if (unusable > 0) cli.note(whyUnusable(unusable, format));
}

function read(file: string): string {
  try {
    if (statSync(file).size > MAX_FILE_BYTES) {
      throw new CommandError(`${file}: larger than ${MAX_FILE_BYTES} bytes. Import it in parts.`);
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${(error as Error).message}. Name a file that you may read.`, { cause: error });
  }
}

function whyUnusable(unusable: number, format: string): string {
  const count = `${unusable} finding(s) have no fingerprint of this service.`;
  return format === 'gitleaks'
    ? `${count} gitleaks' own name a commit, file and line and not the secret, so that they cannot be mapped: scan the files here, and import what \`sallyport findings --format json\` prints.`
    : `${count} Import what \`sallyport findings --format json\` or \`--format sarif\` prints.`;
}

const said = ({ added, changed, unchanged }: Change): string[] => [
  `${added} added, ${changed} changed, ${unchanged} there already. They count from the next scan on.`,
];
