import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { facts } from '../facts.js';
import { momentOf } from '../moments.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

interface LegalHold {
  readonly id: string;
  readonly reason: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly endpointId: string | null;
  readonly bucket: string | null;
  readonly keyPrefix: string | null;
  readonly reviewId: string | null;
  readonly workflowId: string | null;
  readonly placedBy: string;
  readonly placedAt: string;
  readonly lifted: { readonly by: string; readonly at: string; readonly reason: string } | null;
}

interface Scope {
  readonly from?: string;
  readonly to?: string;
  readonly endpoint?: string;
  readonly bucket?: string;
  readonly prefix?: string;
  readonly review?: string;
  readonly workflow?: string;
}

const HOLDS = '/api/v1/legal-holds';

/** `hold list|place|lift`: what must stay whatever retention says. */
export function addHolds(program: Command, cli: Cli): void {
  const group = program.command('hold').description('legal holds: what must stay, whatever retention says');
  group
    .command('list')
    .description('list those in force, the newest first')
    .option('--all', 'also those that were lifted')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 200), 50)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async ({ all, limit, cursor }: { all?: true; limit: number; cursor?: string }) => {
      const page = await cli.client.call<{ items: readonly LegalHold[]; nextCursor?: string }>(
        'GET',
        query(HOLDS, { state: all === true ? 'all' : undefined, limit, cursor }),
      );
      cli.print(page, ({ items }) =>
        table(
          ['ID', 'WHAT', 'REASON', 'BY', 'SINCE', 'LIFTED'],
          items.map((one) => [
            one.id,
            scopeOf(one),
            one.reason,
            one.placedBy,
            one.placedAt,
            one.lifted === null ? undefined : one.lifted.at,
          ]),
        ),
      );
      cli.more(page.nextCursor);
    });
  group
    .command('place')
    .description('keep what meets all that is said here until an admin lifts the hold')
    .requiredOption('--reason <TEXT>', 'why: the case, or who asked for it')
    .option('--from <TIME>', 'what existed from then on, as 2026-03-02T08:00:00Z')
    .option('--to <TIME>', 'what existed before then')
    .option('--bucket <NAME>', 'about objects of this bucket')
    .option('--endpoint <ID>', 'the endpoint of the bucket; any when left out')
    .option('--prefix <PREFIX>', 'about objects whose keys begin so')
    .option('--review <ID>', 'about this review')
    .option('--workflow <ID>', 'this execution')
    .action(async ({ reason, ...scope }: Scope & { reason: string }) => {
      const { from, to, endpoint, bucket, prefix, review, workflow } = scope;
      const hold = await cli.client.call<LegalHold>('POST', HOLDS, {
        reason,
        ...(from !== undefined && { from: momentOf('--from', from) }),
        ...(to !== undefined && { to: momentOf('--to', to) }),
        bucket,
        endpointId: endpoint,
        keyPrefix: prefix,
        reviewId: review,
        workflowId: workflow,
      });
      cli.print(hold, lines);
    });
  group
    .command('lift')
    .description('let retention go on with what the hold kept; only an admin')
    .argument('<ID>')
    .requiredOption('--reason <TEXT>', 'why it is needed no more')
    .action(async (id: string, { reason }: { reason: string }) => {
      const hold = await cli.client.call<LegalHold>('POST', `${HOLDS}/${encodeURIComponent(id)}/lift`, {
        reason,
      });
      cli.print(hold, lines);
    });
}

const lines = (hold: LegalHold): string[] =>
  facts([
    ['id', hold.id],
    ['what', scopeOf(hold)],
    ['reason', hold.reason],
    ['by', hold.placedBy],
    ['since', hold.placedAt],
    [
      'lifted',
      hold.lifted === null ? undefined : `${hold.lifted.at} by ${hold.lifted.by}: ${hold.lifted.reason}`,
    ],
  ]);

function scopeOf(hold: LegalHold): string {
  const { from, to, endpointId, bucket, keyPrefix, reviewId, workflowId } = hold;
  const place = [endpointId ?? '', bucket ?? '', keyPrefix ?? ''].filter(Boolean).join('/');
  return [
    ...(from === null ? [] : [`from ${from}`]),
    ...(to === null ? [] : [`until ${to}`]),
    ...(place === '' ? [] : [place]),
    ...(reviewId === null ? [] : [`review ${reviewId}`]),
    ...(workflowId === null ? [] : [`execution ${workflowId}`]),
  ].join(', ');
}
