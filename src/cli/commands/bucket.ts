import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { bucketPath, findBucket } from '../buckets.js';
import { CommandError } from '../command-error.js';
import { facts } from '../facts.js';
import { parseBucket } from '../s3-url.js';
import { table } from '../table.js';
import { cleared, isOn, listOf, query, wholeNumber } from '../values.js';

interface Bucket {
  readonly endpointId: string;
  readonly bucket: string;
  readonly actionMode: string;
  readonly required: readonly string[];
  readonly quarantineBucket: string | null;
  readonly ownerGroup: string | null;
  readonly reviewers: string | null;
  readonly priority: number | null;
  readonly quotas: { readonly maxRunning: number | null; readonly maxRunningBytes: number | null };
  readonly archivePasswordCount: number;
  readonly expectedOwner: string | null;
  readonly quarantineOwner: string | null;
  readonly requesterPays: boolean;
  readonly enabled: boolean;
  readonly managedBy: string;
  readonly version: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

/** What a change is answered with: what the service would miss at S3, as it is now. */
interface Changed extends Bucket {
  readonly warnings?: readonly string[];
}

interface BucketPage {
  readonly items: readonly Bucket[];
  readonly nextCursor?: string;
}

const find = (cli: Cli, text: string, endpointId: string | undefined): Promise<Bucket> =>
  findBucket<Bucket>(cli, text, endpointId);

interface Wanted {
  readonly actionMode?: string;
  readonly quarantineBucket?: string;
  readonly required?: string;
  readonly ownerGroup?: string;
  readonly reviewers?: string;
  readonly priority?: number;
  readonly maxRunning?: number;
  readonly maxRunningBytes?: number;
  readonly archivePasswords?: string;
  readonly expectedOwner?: string;
  readonly quarantineOwner?: string;
  readonly requesterPays?: string;
  readonly enabled?: string;
  readonly clear?: string;
}

const CLEARABLE = {
  'quarantine-bucket': 'quarantineBucket',
  'owner-group': 'ownerGroup',
  reviewers: 'reviewers',
  priority: 'priority',
  quotas: 'quotas',
  'expected-owner': 'expectedOwner',
  'quarantine-owner': 'quarantineOwner',
};

/** `bucket list|show|add|set|remove`: which buckets are scanned, and how. */
export function addBucket(program: Command, cli: Cli): void {
  const group = program.command('bucket').description('which buckets are scanned, and how');
  group
    .command('list')
    .description('list the registered buckets')
    .option('--endpoint <ID>', 'of this endpoint only')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 500), 100)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async ({ endpoint, limit, cursor }: { endpoint?: string; limit: number; cursor?: string }) => {
      const path = query('/api/v1/buckets', { endpointId: endpoint, limit, cursor });
      const page = await cli.client.call<BucketPage>('GET', path);
      cli.print(page, ({ items }) =>
        table(
          ['BUCKET', 'ENDPOINT', 'MODE', 'REQUIRED', 'QUARANTINE', 'PRIORITY', 'STATE'],
          items.map((one) => [
            one.bucket,
            one.endpointId,
            one.actionMode,
            one.required.join(','),
            one.quarantineBucket,
            one.priority,
            one.enabled ? 'enabled' : 'disabled',
          ]),
        ),
      );
      cli.more(page.nextCursor);
    });
  named(group, 'show', 'show one with all that holds for it').action(
    async (name: string, { endpoint }: { endpoint?: string }) => {
      cli.print(await find(cli, name, endpoint), lines);
    },
  );
  settable(named(group, 'add', 'register a bucket, so that its uploads are scanned')).action(
    async (name: string, { endpoint, ...wanted }: Wanted & { endpoint?: string }) => {
      if (endpoint === undefined) {
        throw new CommandError('bucket add: --endpoint is missing. See: sallyport endpoint list');
      }
      const body = { endpointId: endpoint, bucket: parseBucket(name), ...bodyOf(wanted) };
      cli.print(await cli.client.call<Changed>('POST', '/api/v1/buckets', body), changedLines);
    },
  );
  settable(named(group, 'set', 'change what holds for it'))
    .option('--clear <FIELDS>', `unset by comma: ${Object.keys(CLEARABLE).join(', ')}`)
    .action(async (name: string, { endpoint, ...wanted }: Wanted & { endpoint?: string }) => {
      const bucket = await find(cli, name, endpoint);
      const body = bodyOf(wanted);
      if (Object.keys(body).length === 0) throw new CommandError('bucket set: nothing to change is named.');
      const asked = { version: bucket.version, ...body };
      cli.print(await cli.client.call<Changed>('PATCH', bucketPath(bucket), asked), changedLines);
    });
  named(group, 'remove', 'scan no more of its uploads; what is under way goes on').action(
    async (name: string, { endpoint }: { endpoint?: string }) => {
      const bucket = await find(cli, name, endpoint);
      await cli.client.call('DELETE', query(bucketPath(bucket), { version: bucket.version }));
      cli.print({ removed: bucket.bucket, endpointId: bucket.endpointId }, () => ['Removed.']);
    },
  );
}

const named = (group: Command, command: string, description: string): Command =>
  group
    .command(command)
    .description(description)
    .argument('<BUCKET>', 'its name, or s3://name')
    .option('--endpoint <ID>', 'where it is; needed when several have one of this name, and to add one');

const settable = (command: Command): Command =>
  command
    .option('--action-mode <MODE>', 'observe, tag or quarantine')
    .option('--quarantine-bucket <BUCKET>', 'on the same endpoint')
    .option('--required <ENGINES>', 'by comma: secrets, malware')
    .option('--owner-group <GROUP>')
    .option('--reviewers <GROUP>', 'who is asked about its objects')
    .option('--priority <N>', '0 to 99, higher first', wholeNumber('--priority', 0, 99))
    .option('--max-running <N>', 'scans at once', wholeNumber('--max-running', 1, 1_000_000))
    .option('--max-running-bytes <N>', 'of their objects', wholeNumber('--max-running-bytes', 1, 2 ** 49))
    .option('--archive-passwords <FILE>', 'a file with one a line; an empty one takes them away')
    .option('--expected-owner <ACCOUNT>', 'the AWS account that must own it')
    .option('--quarantine-owner <ACCOUNT>', 'the AWS account that must own its quarantine bucket')
    .option('--requester-pays <on|off>')
    .option('--enabled <on|off>');

function bodyOf(wanted: Wanted): Record<string, unknown> {
  const { required, maxRunning, maxRunningBytes, archivePasswords, requesterPays, enabled, clear, ...plain } =
    wanted;
  return {
    ...cleared(clear, CLEARABLE),
    ...Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)),
    ...(required !== undefined && { required: listOf(required) }),
    ...((maxRunning !== undefined || maxRunningBytes !== undefined) && {
      quotas: { maxRunning, maxRunningBytes },
    }),
    ...(archivePasswords !== undefined && { archivePasswords: passwordsIn(archivePasswords) }),
    ...(requesterPays !== undefined && { requesterPays: isOn('--requester-pays', requesterPays) }),
    ...(enabled !== undefined && { enabled: isOn('--enabled', enabled) }),
  };
}

/** From a file: what is typed stands in the shell's history and in the list of processes. */
function passwordsIn(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split(/\r?\n/)
      .filter((line) => line !== '');
  } catch (error) {
    throw new CommandError(`--archive-passwords: ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

const changedLines = (bucket: Changed): string[] => [
  ...lines(bucket),
  ...(bucket.warnings ?? []).map((warning) => `Warning: ${warning}`),
];

const lines = (bucket: Bucket): string[] =>
  facts([
    ['bucket', bucket.bucket],
    ['endpoint', bucket.endpointId],
    ['state', bucket.enabled ? 'enabled' : 'disabled'],
    ['action mode', bucket.actionMode],
    ['required', bucket.required.join(', ')],
    ['quarantine bucket', bucket.quarantineBucket],
    ['owner group', bucket.ownerGroup],
    ['reviewers', bucket.reviewers],
    ['priority', bucket.priority],
    ['scans at once', bucket.quotas.maxRunning],
    ['bytes at once', bucket.quotas.maxRunningBytes],
    ['archive passwords', bucket.archivePasswordCount || undefined],
    ['expected owner', bucket.expectedOwner],
    ['quarantine owner', bucket.quarantineOwner],
    ['requester pays', bucket.requesterPays ? 'yes' : undefined],
    ['managed by', bucket.managedBy],
    ['changed', `${bucket.updatedAt} by ${bucket.updatedBy} (version ${bucket.version})`],
  ]);
