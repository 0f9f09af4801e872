import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { facts } from '../facts.js';
import { jsonObject } from '../json-argument.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

interface Schedule {
  readonly name: string;
  readonly description: string | null;
  readonly kind: string;
  readonly kindIsKnown: boolean;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly cron: string;
  readonly timeZone: string;
  readonly catchUp: string;
  readonly catchUpWithinSeconds: number;
  readonly enabled: boolean;
  readonly nextFireAt: string | null;
  readonly nextFireTimes: readonly string[];
  readonly lastFireAt: string | null;
  readonly lastOutcome: string | null;
  readonly lastError: string | null;
  readonly version: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

interface Firing {
  readonly dueAt: string;
  readonly state: string;
  readonly requestedBy: string | null;
  readonly attempts: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly missedUntil: string | null;
  readonly error: string | null;
}

interface Wanted {
  readonly description?: string;
  readonly kind?: string;
  readonly payload?: string;
  readonly cron?: string;
  readonly timeZone?: string;
  readonly catchUp?: string;
  readonly catchUpWithin?: number;
}

const SCHEDULES = '/api/v1/schedules';

/** `schedule list|show|add|set|pause|resume|run|firings|times|remove`: what comes again and again. */
export function addSchedule(program: Command, cli: Cli): void {
  const group = program
    .command('schedule')
    .description('what is done again and again, by cron and time zone');
  group
    .command('list')
    .description('list the schedules')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 500), 100)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async ({ limit, cursor }: { limit: number; cursor?: string }) => {
      const path = query(SCHEDULES, { limit, cursor });
      const page = await cli.client.call<{ items: readonly Schedule[]; nextCursor?: string }>('GET', path);
      cli.print(page, ({ items }) =>
        table(
          ['SCHEDULE', 'KIND', 'CRON', 'TIME ZONE', 'NEXT', 'LAST', 'OUTCOME'],
          items.map((one) => [
            one.name,
            one.kind,
            one.cron,
            one.timeZone,
            one.enabled ? one.nextFireAt : 'paused',
            one.lastFireAt,
            one.lastOutcome,
          ]),
        ),
      );
      cli.more(page.nextCursor);
    });
  named(group, 'show', 'show one with its next ten times').action(async (name: string) => {
    cli.print(await cli.client.call<Schedule>('GET', pathOf(name)), lines);
  });
  settable(named(group, 'add', 'make one'))
    .option('--paused', 'to be resumed later')
    .action(async (name: string, { paused, ...wanted }: Wanted & { paused?: true }) => {
      for (const option of ['kind', 'cron'] as const) {
        if (wanted[option] === undefined) throw new CommandError(`schedule add: --${option} is missing.`);
      }
      const body = { name, ...bodyOf(wanted), enabled: paused !== true };
      cli.print(await cli.client.call<Schedule>('POST', SCHEDULES, body), lines);
    });
  settable(named(group, 'set', 'change what is said of one')).action((name: string, wanted: Wanted) =>
    set(cli, name, wanted),
  );
  for (const [verb, description] of [
    ['pause', 'fire it no more; what waits still runs'],
    ['resume', 'fire it from now on'],
  ] as const) {
    named(group, verb, description).action(async (name: string) => {
      cli.print(await cli.client.call<Schedule>('POST', `${pathOf(name)}/${verb}`), lines);
    });
  }
  named(group, 'run', 'run it once now, beside its times').action(async (name: string) => {
    const asked = await cli.client.call<{ dueAt: string }>('POST', `${pathOf(name)}/run`);
    cli.print(asked, () => [`It runs now. See: sallyport schedule firings ${name}`]);
  });
  addFirings(group, cli);
  named(group, 'remove', 'remove it with what waits of it').action(async (name: string) => {
    await cli.client.call('DELETE', pathOf(name));
    cli.print({ removed: name }, () => ['Removed.']);
  });
}

function addFirings(group: Command, cli: Cli): void {
  named(group, 'firings', 'what became of its times, the newest first')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 200), 20)
    .action(async (name: string, { limit }: { limit: number }) => {
      const path = query(`${pathOf(name)}/firings`, { limit });
      cli.print(await cli.client.call<{ items: readonly Firing[] }>('GET', path), ({ items }) =>
        table(
          ['DUE', 'STATE', 'TRIES', 'BEGAN', 'ENDED', 'ASKED BY', 'ERROR'],
          items.map((one) => [
            one.dueAt,
            one.missedUntil === null ? one.state : `missed until ${one.missedUntil}`,
            one.attempts,
            one.startedAt,
            one.endedAt,
            one.requestedBy,
            one.error,
          ]),
        ),
      );
    });
  group
    .command('times')
    .description('when a cron would be due; makes nothing')
    .argument('<CRON>', '5 fields, or 6 with seconds in front: "30 2 * * *"')
    .option('--time-zone <ZONE>', 'as Europe/Berlin', 'UTC')
    .option('--count <N>', 'so many', wholeNumber('--count', 1, 100), 10)
    .action(async (cron: string, { timeZone, count }: { timeZone: string; count: number }) => {
      const path = query(`${SCHEDULES}/times`, { cron, timeZone, count });
      cli.print(await cli.client.call<{ times: string[] }>('GET', path), ({ times }) => times);
    });
}

const named = (group: Command, command: string, description: string): Command =>
  group.command(command).description(description).argument('<NAME>', 'of the schedule');

const settable = (command: Command): Command =>
  command
    .option('--description <TEXT>')
    .option('--kind <KIND>', 'what it does: workflow, …')
    .option('--payload <JSON>', 'what its kind needs, or @FILE: {"name": "weekly_clean_up"}')
    .option('--cron <CRON>', '5 fields, or 6 with seconds in front: "30 2 * * *"')
    .option('--time-zone <ZONE>', 'as Europe/Berlin; UTC by default')
    .option('--catch-up <none|last|all>', 'what is made up for when nobody was there; last by default')
    .option(
      '--catch-up-within <SECONDS>',
      'and nothing older; a day by default',
      wholeNumber('--catch-up-within', 60, 7_776_000),
    );

const bodyOf = ({ payload, catchUpWithin, ...plain }: Wanted): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)),
  ...(payload !== undefined && { payload: jsonObject('--payload', payload) }),
  ...(catchUpWithin !== undefined && { catchUpWithinSeconds: catchUpWithin }),
});

async function set(cli: Cli, name: string, wanted: Wanted): Promise<void> {
  const changes = bodyOf(wanted);
  if (Object.keys(changes).length === 0) throw new CommandError('schedule set: nothing to change is named.');
  const known = await cli.client.call<Schedule>('GET', pathOf(name));
  const { description, kind, payload, cron, timeZone, catchUp, catchUpWithinSeconds, enabled, version } =
    known;
  const body = {
    ...(description !== null && { description }),
    kind,
    payload,
    cron,
    timeZone,
    catchUp,
    catchUpWithinSeconds,
    enabled,
    version,
    ...changes,
  };
  cli.print(await cli.client.call<Schedule>('PUT', pathOf(name), body), lines);
}

const pathOf = (name: string): string => `${SCHEDULES}/${encodeURIComponent(name)}`;

const lines = (one: Schedule): string[] =>
  facts([
    ['schedule', one.name],
    ['description', one.description],
    ['state', one.enabled ? 'enabled' : 'paused'],
    ['kind', one.kindIsKnown ? one.kind : `${one.kind} (not known to the process that answers)`],
    ['payload', one.payload],
    ['cron', one.cron],
    ['time zone', one.timeZone],
    ['catch-up', `${one.catchUp}, within ${one.catchUpWithinSeconds} s`],
    ['last', one.lastFireAt],
    ['outcome', one.lastOutcome],
    ['error', one.lastError],
    ...one.nextFireTimes.map((at, index) => [index === 0 ? 'next' : '', at] as const),
    ['changed', `${one.updatedAt} by ${one.updatedBy} (version ${one.version})`],
  ]);
