import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

interface Remedy {
  readonly id: string;
  readonly state: string;
  readonly ruleId: string;
  readonly bucket: string;
  readonly key: string;
  readonly owner: readonly string[];
  readonly dueAt: string;
  readonly proof: string | null;
}

interface Page {
  readonly items: readonly Remedy[];
  readonly nextCursor?: string;
}

/** `remedies list|open`: findings that are real, and what becomes of them. */
export function addRemedies(program: Command, cli: Cli): void {
  const group = program
    .command('remedies')
    .description('findings that are real, each followed until a proof says that it is remedied');
  group
    .command('list')
    .description('list them, the newest first')
    .option('--state <STATES>', 'by comma: OPEN, REMEDIED, RETURNED')
    .option('--overdue', 'open ones whose day is past')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 500), 100)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async (options: { state?: string; overdue?: boolean; limit: number; cursor?: string }) => {
      const overdue = options.overdue === true ? 'true' : undefined;
      const page = await cli.client.call<Page>('GET', query('/api/v1/remedies', { ...options, overdue }));
      cli.print(page, ({ items }) => listed(items));
      cli.more(page.nextCursor);
    });
  group
    .command('open')
    .description('ask whether a finding is real, and follow it until it is remedied')
    .argument('<FINDING>', 'its id, as `findings --format json` tells it')
    .option('--owner <PARTIES>', 'who remedies it, by comma: group:NAME, user:LOGIN')
    .option('--days <N>', 'until when; REMEDY_DAYS by default', wholeNumber('--days', 1, 365))
    .option('--escalate-to <PARTIES>', 'who is asked as well when it is overdue')
    .action(async (findingId: string, options: { owner?: string; days?: number; escalateTo?: string }) => {
      const started = await cli.client.call<{ workflowId: string }>('POST', '/api/v1/remedies', {
        findingId,
        owner: partiesOf(options.owner),
        escalateTo: partiesOf(options.escalateTo),
        ...(options.days !== undefined && { dueDays: options.days }),
      });
      cli.print(started, ({ workflowId }) => [
        `${workflowId} asks whether it is real: sallyport review list`,
      ]);
    });
}

const partiesOf = (text: string | undefined): string[] =>
  (text ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));

const listed = (items: readonly Remedy[]): string[] =>
  table(
    ['ID', 'STATE', 'DUE', 'OWNER', 'PROOF', 'RULE', 'OBJECT'],
    items.map((one) => [
      one.id,
      one.state,
      one.dueAt,
      one.owner.join(', '),
      one.proof ?? '',
      one.ruleId,
      `s3://${one.bucket}/${one.key}`,
    ]),
  );
