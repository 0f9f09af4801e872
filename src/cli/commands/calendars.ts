import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { facts } from '../facts.js';
import { jsonObject } from '../json-argument.js';
import { table } from '../table.js';
import { listOf } from '../values.js';

interface Calendar {
  readonly name: string;
  readonly timeZone: string;
  readonly hours: Readonly<Record<string, readonly string[]>>;
  readonly holidays: readonly string[];
  readonly groups: readonly string[];
  readonly rearmed?: number;
}

const CALENDARS = '/api/v1/calendars';
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** `calendars list|show|set|remove|attach|detach`: when groups work, by which the times of their reviews count. */
export function addCalendars(program: Command, cli: Cli): void {
  const group = program
    .command('calendars')
    .description('when groups work: the times of their reviews count that');
  group
    .command('list')
    .description('list them by name')
    .action(async () => {
      cli.print(await cli.client.call<{ items: readonly Calendar[] }>('GET', CALENDARS), ({ items }) =>
        table(
          ['NAME', 'TIME ZONE', 'GROUPS', 'HOLIDAYS'],
          items.map((one) => [one.name, one.timeZone, one.groups.join(','), one.holidays.length]),
        ),
      );
    });
  group
    .command('show')
    .description('show one')
    .argument('<NAME>')
    .action(async (name: string) => cli.print(await cli.client.call<Calendar>('GET', pathTo(name)), lines));
  group
    .command('set')
    .description('make one, or write it anew: what waits by it keeps the working time that is left')
    .argument('<NAME>')
    .requiredOption('--time-zone <ZONE>', 'IANA name, as Europe/Berlin')
    .requiredOption(
      '--hours <JSON>',
      'of each weekday: {"mon": ["09:00-12:00", "13:00-17:00"]}, or @FILE with that',
    )
    .option('--holidays <DATES>', 'by comma: 2026-12-25,2026-12-26; all of them')
    .action(async (name: string, options: { timeZone: string; hours: string; holidays?: string }) => {
      const body = {
        timeZone: options.timeZone,
        hours: jsonObject('--hours', options.hours),
        holidays: listOf(options.holidays),
      };
      cli.print(await cli.client.call<Calendar>('PUT', pathTo(name), body), lines);
    });
  group
    .command('remove')
    .description('delete one that no group has and nothing waits by')
    .argument('<NAME>')
    .action(async (name: string) => {
      await cli.client.call('DELETE', pathTo(name));
      cli.print({ removed: name }, () => ['Removed.']);
    });
  for (const [command, method, description] of [
    ['attach', 'PUT', 'give it to a group, in place of the one that the group has'],
    ['detach', 'DELETE', 'take it from a group'],
  ] as const)
    group
      .command(command)
      .description(description)
      .argument('<NAME>')
      .argument('<GROUP>', 'by name')
      .action(async (name: string, wanted: string) => {
        await cli.client.call(method, `${pathTo(name)}/groups/${encodeURIComponent(wanted)}`);
        cli.print(await cli.client.call<Calendar>('GET', pathTo(name)), lines);
      });
}

const pathTo = (name: string): string => `${CALENDARS}/${encodeURIComponent(name)}`;

const lines = (calendar: Calendar): string[] =>
  facts([
    ['name', calendar.name],
    ['time zone', calendar.timeZone],
    ...DAYS.filter((day) => (calendar.hours[day] ?? []).length > 0).map((day): [string, string] => [
      day,
      (calendar.hours[day] ?? []).join(', '),
    ]),
    ['holidays', calendar.holidays.join(', ') || 'none'],
    ['groups', calendar.groups.join(', ') || 'none'],
    ['re-armed', calendar.rearmed === undefined ? null : `${calendar.rearmed} reviews that wait`],
  ]);
