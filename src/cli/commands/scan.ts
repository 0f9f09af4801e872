import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { Refused } from '../client.js';
import { CommandError } from '../command-error.js';
import { countsOf, type FindingCounts } from '../findings.js';
import { parseObjectUrl } from '../s3-url.js';
import { wholeNumber } from '../values.js';
import { waitFor } from '../waiting.js';

interface Requested {
  readonly scanId: string;
  readonly objectId: string;
  readonly workflowId: string;
}

interface Spoken {
  readonly verdict: string;
  readonly reason: string | null;
}

/** What became of one of the objects that were named. */
type Asked = { readonly url: string } & (
  (Requested & Partial<Spoken> & { readonly findingCounts?: FindingCounts }) | { readonly refused: string }
);

interface Story extends Spoken {
  readonly scans: readonly {
    readonly id: string;
    readonly verdictAt: string | null;
    readonly closedAt: string | null;
  }[];
  readonly verdicts: readonly (Spoken & { readonly scanId: string | null })[];
  /** Of the newest verdict. */
  readonly findingCounts: FindingCounts;
}

const MAX_URL = 1_200;

/** `scan s3://bucket/key…` */
export function addScan(program: Command, cli: Cli): void {
  program
    .command('scan')
    .description('scan objects now')
    .argument('<S3-URL...>', 's3://bucket/key; everything after the bucket is the key, as it is')
    .option('--version-id <ID>', 'of one object; the newest version by default')
    .option('--wait', 'wait for the verdicts; exit code 0: all are clean, 1: one is not')
    .option('--timeout <SECONDS>', 'wait no longer', wholeNumber('--timeout', 1, 604_800), 3_600)
    .action((urls: string[], options: ScanOptions) => scan(cli, urls, options));
}

interface ScanOptions {
  readonly versionId?: string;
  readonly wait?: true;
  readonly timeout: number;
}

async function scan(
  cli: Cli,
  urls: readonly string[],
  { versionId, wait, timeout }: ScanOptions,
): Promise<void> {
  if (versionId !== undefined && urls.length > 1) {
    throw new CommandError('--version-id is of one object; name one.');
  }
  // All of them before the first is asked for: a slip of the hand starts nothing.
  const objects = urls.map((url) => ({ url, ...parseObjectUrl(url) }));
  const asked: Asked[] = [];
  for (const { url, bucket, key } of objects) {
    asked.push({ url, ...(await request(cli, { bucket, key, versionId })) });
  }
  const [only] = asked;
  if (asked.length === 1 && only !== undefined && 'refused' in only) throw new CommandError(only.refused);
  const told = wait === true ? await verdicts(cli, asked, timeout) : asked;
  cli.print({ scans: told }, () => told.map(lineOf));
  const refused = told.filter((one) => 'refused' in one).length;
  if (refused > 0) {
    throw new CommandError(`${refused} of ${told.length} objects are not scanned; the lines above say why.`);
  }
  if (wait === true && told.some((one) => !('verdict' in one) || !isClean(one.verdict))) cli.exitCode = 1;
}

/** `clean`, or `clean (secrets)` where the bucket requires no more. */
const isClean = (verdict: string | undefined): boolean => verdict?.startsWith('clean') === true;

async function request(
  cli: Cli,
  body: { bucket: string; key: string; versionId: string | undefined },
): Promise<Requested | { refused: string }> {
  try {
    return await cli.client.call<Requested>('POST', '/api/v1/scans', body);
  } catch (error) {
    // The others are scanned all the same.
    if (error instanceof Refused) return { refused: error.message };
    throw error;
  }
}

async function verdicts(cli: Cli, asked: readonly Asked[], timeoutSeconds: number): Promise<Asked[]> {
  const told = [...asked];
  const open = new Set(told.flatMap((one, index) => ('scanId' in one ? [index] : [])));
  const total = open.size;
  const progress = cli.progress('verdicts');
  const look = async (): Promise<true | undefined> => {
    for (const index of open) {
      const one = told[index];
      if (one === undefined || !('scanId' in one)) continue;
      const spoken = await verdictOf(cli, one);
      if (spoken === undefined) continue;
      told[index] = { ...one, ...spoken };
      open.delete(index);
      progress.show({ done: total - open.size, total });
    }
    progress.show({ done: total - open.size, total });
    return open.size === 0 ? true : undefined;
  };
  try {
    await waitFor(cli, look, { timeoutSeconds, what: `verdict on ${total === 1 ? 'it' : 'all of them'}` });
  } finally {
    progress.end();
  }
  return told;
}

async function verdictOf(
  cli: Cli,
  { objectId, scanId }: Requested,
): Promise<(Spoken & { readonly findingCounts?: FindingCounts }) | undefined> {
  const story = await cli.client.call<Story>('GET', `/api/v1/objects/${encodeURIComponent(objectId)}`);
  const { verdict, reason, findingCounts } = story;
  const [newest] = story.verdicts;
  const spoken = story.verdicts.find((one) => one.scanId === scanId);
  if (spoken !== undefined) {
    return {
      verdict: spoken.verdict,
      reason: spoken.reason,
      ...(spoken === newest && { findingCounts }),
    };
  }
  const scanned = story.scans.find(({ id }) => id === scanId);
  // Closed without a verdict of its own, as the duplicate of another: the object's stands for it.
  return scanned?.closedAt == null ? undefined : { verdict, reason, findingCounts };
}

function lineOf(one: Asked): string {
  const url = visible(one.url, MAX_URL);
  if ('refused' in one) return `${url}  refused: ${visible(one.refused, 500)}`;
  if (one.verdict === undefined) return `${url}  asked for: scan ${one.scanId}, workflow ${one.workflowId}`;
  const found = one.findingCounts === undefined ? '' : countsOf(one.findingCounts);
  return [
    url,
    one.verdict,
    ...(one.reason === null || one.reason === undefined ? [] : [visible(one.reason, 200)]),
    ...(found === '' ? [] : [`${found} finding(s)`]),
  ].join('  ');
}
