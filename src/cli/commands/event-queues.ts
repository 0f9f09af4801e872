import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { table } from '../table.js';

interface EventQueue {
  readonly name: string;
  readonly waiting: number | null;
  readonly deadLetterQueue: string | null;
  readonly deadLetters: number | null;
  readonly checkedAt: string | null;
  readonly problem: string | null;
  readonly remedy: string | null;
}

type Redriven =
  | { readonly method: 'task' }
  | { readonly method: 'moved'; readonly moved: number; readonly isWhole: boolean };

/** `event-queues list|redrive`. */
export function addEventQueues(program: Command, cli: Cli): void {
  const group = program
    .command('event-queues')
    .description('the SQS queues that events come from, and their dead letters');
  group
    .command('list')
    .description('show how full they are; numbers are a minute old and approximate')
    .action(async () => {
      const answer = await cli.client.call<{ readonly items: readonly EventQueue[] }>(
        'GET',
        '/api/v1/event-queues',
      );
      cli.print(answer, ({ items }) =>
        table(
          ['NAME', 'WAITING', 'DEAD-LETTER QUEUE', 'DEAD LETTERS', 'CHECKED', 'PROBLEM'],
          items.map((one) => [
            one.name,
            one.waiting,
            one.deadLetterQueue,
            one.deadLetters,
            one.checkedAt,
            [one.problem?.replace(/\.?$/, '.'), one.remedy].filter(Boolean).join(' '),
          ]),
        ),
      );
    });
  group
    .command('redrive')
    .description('send the messages of its dead-letter queue back to it')
    .argument('<NAME>')
    .action(async (name: string) => {
      const path = `/api/v1/event-queues/${encodeURIComponent(name)}/redrive`;
      const redriven = await cli.client.call<Redriven>('POST', path);
      cli.print(redriven, sentence);
    });
}

function sentence(redriven: Redriven): string[] {
  if (redriven.method === 'task') return ['SQS moves them back by itself; that may take a while.'];
  const rest = redriven.isWhole ? '' : ' There may be more: say it again.';
  return [`${redriven.moved} message(s) moved back.${rest}`];
}
