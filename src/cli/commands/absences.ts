import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { facts } from '../facts.js';
import { momentOf } from '../moments.js';
import { reviewerId } from '../reviewers.js';
import { table } from '../table.js';

interface Absence {
  readonly id: string;
  readonly person: { readonly name: string };
  readonly from: string;
  readonly to: string;
  readonly substitute: { readonly name: string } | null;
  readonly note: string;
}

interface NewAbsence {
  readonly from: string;
  readonly to: string;
  readonly person?: string;
  readonly substitute?: string;
  readonly note?: string;
}

const ABSENCES = '/api/v1/absences';

/** `absences list|add|remove`: who is away, and who decides meanwhile. */
export function addAbsences(program: Command, cli: Cli): void {
  const group = program.command('absences').description('who is away, and who decides meanwhile');
  group
    .command('list')
    .description('list those that are not over, the next first')
    .action(async () => {
      cli.print(await cli.client.call<{ items: readonly Absence[] }>('GET', ABSENCES), ({ items }) =>
        table(
          ['PERSON', 'FROM', 'TO', 'STANDS IN', 'NOTE', 'ID'],
          items.map((one) => [one.person.name, one.from, one.to, one.substitute?.name, one.note, one.id]),
        ),
      );
    });
  group
    .command('add')
    .description('say that you are away, or that somebody is: what asks them asks who stands in')
    .option('--person <PERSON>', 'name or id; only an admin says it of somebody else')
    .option('--from <TIME>', 'such as 2026-12-24T09:00:00Z, or 2d from now', '0m')
    .requiredOption('--to <TIME>', 'when they are back: such a time, or 2w from now')
    .option('--substitute <PERSON>', 'name or id of who stands in; nobody when left out')
    .option('--note <TEXT>')
    .action(async ({ person, from, to, substitute, note }: NewAbsence) => {
      const body = {
        from: momentOf('--from', from),
        to: momentOf('--to', to),
        ...(person !== undefined && { personId: await reviewerId(cli, person) }),
        ...(substitute !== undefined && { substituteId: await reviewerId(cli, substitute) }),
        ...(note !== undefined && { note }),
      };
      cli.print(await cli.client.call<Absence>('POST', ABSENCES, body), lines);
    });
  group
    .command('remove')
    .description('take one back')
    .argument('<ID>', 'as the list says it')
    .action(async (id: string) => {
      await cli.client.call('DELETE', `${ABSENCES}/${encodeURIComponent(id)}`);
      cli.print({ removed: id }, () => ['Taken back.']);
    });
}

const lines = (absence: Absence): string[] =>
  facts([
    ['away', absence.person.name],
    ['from', absence.from],
    ['to', absence.to],
    ['stands in', absence.substitute?.name ?? 'nobody'],
    ['id', absence.id],
  ]);
