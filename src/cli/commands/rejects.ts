import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { facts } from '../facts.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

interface Reject {
  readonly id: string;
  readonly source: string;
  readonly reason: string;
  readonly path: string;
  readonly message: string;
  readonly bucket: string | null;
  readonly deliveries: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly truncated: boolean;
  readonly raw?: string;
}

interface RejectPage {
  readonly items: readonly Reject[];
  readonly nextCursor?: string;
}

interface Replayed {
  readonly outcome: 'taken' | 'rejected';
  readonly accepted: number;
  readonly duplicates: number;
  readonly message?: string;
}

interface ReplayedMany {
  readonly taken: number;
  readonly rejected: number;
  readonly after?: string;
}

interface Filter {
  readonly reason?: string;
  readonly source?: string;
  readonly bucket?: string;
}

// As long as the longest message that is kept.
const MAX_RAW = 70_000;

/** `rejects list|get|replay|delete`. */
export function addRejects(program: Command, cli: Cli): void {
  const group = program.command('rejects').description('what event sources sent and nobody could use');
  filtered(group.command('list').description('list them, those that came last first'))
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 500), 50)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async (options: Filter & { limit: number; cursor?: string }) => {
      const page = await cli.client.call<RejectPage>('GET', query('/api/v1/rejects', { ...options }));
      cli.print(page, ({ items }) =>
        table(
          ['ID', 'LAST', 'TIMES', 'SOURCE', 'REASON', 'BUCKET', 'WHAT IS WRONG'],
          items.map((one) => [
            one.id,
            one.lastAt,
            one.deliveries,
            one.source,
            one.reason,
            one.bucket,
            `${one.path}: ${one.message}`,
          ]),
        ),
      );
      cli.more(page.nextCursor);
    });
  group
    .command('get')
    .description('show one with what was sent')
    .argument('<ID>')
    .action(async (id: string) => cli.print(await cli.client.call<Reject>('GET', pathOf(id)), shown));
  filtered(
    group
      .command('replay')
      .description('take one in again, or with --all those of a reason, source or bucket')
      .argument('[ID]'),
  )
    .option('--all', 'all that the other options name')
    .action(async (id: string | undefined, { all, ...filter }: Filter & { all?: true }) => {
      if ((id === undefined) !== (all === true)) {
        throw new CommandError('replay: name an ID, or say --all. See: sallyport rejects replay --help');
      }
      if (id === undefined) return replayAll(cli, filter);
      const replayed = await cli.client.call<Replayed>('POST', `${pathOf(id)}/replay`);
      cli.exitCode = replayed.outcome === 'taken' ? 0 : 1;
      cli.print(replayed, said);
    });
  group
    .command('delete')
    .description('remove one; what it told of is not scanned')
    .argument('<ID>')
    .action(async (id: string) => {
      await cli.client.call('DELETE', pathOf(id));
      cli.print({ deleted: id }, () => ['Deleted.']);
    });
}

const filtered = (command: Command): Command =>
  command
    .option('--reason <REASON>', 'as in unknown_bucket')
    .option('--source <SOURCE>', 'how they came: webhook, sqs, sns, embedded')
    .option('--bucket <BUCKET>');

const pathOf = (id: string): string => `/api/v1/rejects/${encodeURIComponent(id)}`;

/** One request after another, each over as many as fit into it. */
async function replayAll(cli: Cli, filter: Filter): Promise<void> {
  let taken = 0;
  let rejected = 0;
  let after: string | undefined;
  do {
    const part = await cli.client.call<ReplayedMany>('POST', '/api/v1/rejects/replay', {
      ...filter,
      ...(after !== undefined && { after }),
    });
    taken += part.taken;
    rejected += part.rejected;
    after = part.after;
    if (after !== undefined) cli.note(`${taken} taken in, ${rejected} rejected again so far`);
  } while (after !== undefined);
  cli.exitCode = rejected === 0 ? 0 : 1;
  cli.print({ taken, rejected }, (sums) => [`${sums.taken} taken in, ${sums.rejected} rejected again.`]);
}

const said = (replayed: Replayed): string[] => [
  replayed.outcome === 'taken'
    ? `Taken in: ${replayed.accepted} new event(s), ${replayed.duplicates} known already.`
    : `Rejected again: ${visible(replayed.message ?? '', 1_000)}`,
];

const shown = (reject: Reject): string[] => [
  ...facts([
    ['ID', reject.id],
    ['Source', reject.source],
    ['Reason', reject.reason],
    ['Where', reject.path],
    ['What is wrong', reject.message],
    ['Bucket', reject.bucket],
    ['Times', reject.deliveries],
    ['First', reject.firstAt],
    ['Last', reject.lastAt],
    ['Kept whole', reject.truncated ? 'no' : 'yes'],
  ]),
  '',
  visible(reject.raw ?? '', MAX_RAW),
];
