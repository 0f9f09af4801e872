import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { facts } from '../facts.js';
import { jsonObject } from '../json-argument.js';
import { parseObjectUrl } from '../s3-url.js';
import { table } from '../table.js';
import { wholeNumber } from '../values.js';
import { CLEARABLE, collect, specFrom, tagsFrom, type WantedRule } from './trigger-options.js';

interface Rule {
  readonly name: string;
  readonly effect: string;
  readonly position: number;
  readonly enabled: boolean;
  readonly workflow?: string;
  readonly version?: number;
  readonly origin: string;
  readonly ruleVersion: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
  readonly problems: readonly string[];
  readonly [condition: string]: unknown;
}

interface TestResult {
  readonly decision: {
    readonly kind: 'start' | 'skip';
    readonly rule: string;
    readonly workflow?: string;
    readonly version?: number;
    readonly priority?: number;
  };
  readonly upload: Readonly<Record<string, unknown>>;
  readonly rules: readonly { readonly rule: string; readonly outcome: string; readonly why: string }[];
  readonly notes: readonly string[];
}

const TRIGGERS = '/api/v1/triggers';
const MAX_SENTENCE = 3_000;

/** `trigger list|show|set|remove|enable|disable|test|apply|export`: which uploads start which workflow. */
export function addTrigger(program: Command, cli: Cli): void {
  const group = program.command('trigger').description('which uploads start which workflow');
  group
    .command('list')
    .description('list the rules, in the order in which they are asked')
    .action(async () => {
      cli.print(await list(cli), (rules) =>
        table(
          ['POSITION', 'RULE', 'EFFECT', 'WHEN', 'STARTS', 'KEPT BY', 'STATE'],
          rules.map((rule) => [
            positionOf(rule),
            rule.name,
            rule.effect,
            whenOf(rule),
            targetOf(rule),
            rule.origin,
            stateOf(rule),
          ]),
        ),
      );
    });
  named(group, 'show', 'show a rule').action(async (name: string) => {
    cli.print(await cli.client.call<Rule>('GET', pathOf(name)), ruleLines);
  });
  settable(named(group, 'set', 'make a rule, or change what is said of one')).action(
    (name: string, wanted: WantedRule) => set(cli, name, wanted),
  );
  named(group, 'remove', 'remove a rule').action(async (name: string) => {
    await cli.client.call('DELETE', pathOf(name));
    cli.print({ removed: name }, () => ['Removed.']);
  });
  for (const verb of ['enable', 'disable']) {
    named(group, verb, verb === 'enable' ? 'ask it again' : 'ask it no more').action(async (name: string) => {
      cli.print(await cli.client.call<Rule>('POST', `${pathOf(name)}/${verb}`), ruleLines);
    });
  }
  addTest(group, cli);
  addFiles(group, cli);
}

function addTest(group: Command, cli: Cli): void {
  group
    .command('test')
    .description('say which rule wins for an object, and of every rule why; starts nothing')
    .argument('<S3-URL>', 's3://bucket/key; what is not said below is asked of the object, if it is there')
    .option('--version-id <ID>')
    .option('--size <BYTES>', 'as if it were so large', wholeNumber('--size', 0, 2 ** 49))
    .option('--type <TYPE>', 'as if it held this: application/zip')
    .option('--tag <NAME=VALUE>', 'as if it had these tags only; more than once', collect, [])
    .option('--kind <KIND>', 'created or restored', 'created')
    .action(async (url: string, options: TestOptions) => {
      const { versionId, size: sizeBytes, type: contentType, tag, kind } = options;
      const body = {
        ...parseObjectUrl(url),
        versionId,
        sizeBytes,
        contentType,
        ...(tag.length > 0 && { tags: tagsFrom(tag) }),
        kind,
      };
      const result = await cli.client.call<TestResult>('POST', `${TRIGGERS}/test`, body);
      cli.print(result, testLines);
      if (result.decision.kind === 'skip') cli.exitCode = 1;
    });
}

interface TestOptions {
  readonly versionId?: string;
  readonly size?: number;
  readonly type?: string;
  readonly tag: readonly string[];
  readonly kind: string;
}

function addFiles(group: Command, cli: Cli): void {
  group
    .command('apply')
    .description('make the rules of a file, over those of the same names: all of them or none')
    .argument('<FILE>', 'JSON: {"rules": […]}, as export prints it')
    .option('--prune', 'also remove the rules that it does not name')
    .action(async (path: string, { prune }: { prune?: true }) => {
      const body = { ...jsonObject('FILE', `@${path}`), ...(prune === true && { prune }) };
      const applied = await cli.client.call<Record<'created' | 'changed' | 'deleted', string[]>>(
        'POST',
        `${TRIGGERS}/apply`,
        body,
      );
      cli.print(applied, ({ created, changed, deleted }) => [
        ...created.map((name) => `created  ${name}`),
        ...changed.map((name) => `changed  ${name}`),
        ...deleted.map((name) => `removed  ${name}`),
        ...(created.length + changed.length + deleted.length === 0 ? ['Nothing had to be changed.'] : []),
      ]);
    });
  group
    .command('export')
    .description('print the rules as a file for apply')
    .action(async () => {
      const rules = (await list(cli)).map(specOf);
      cli.out(JSON.stringify({ rules }, null, 2));
    });
}

const named = (group: Command, command: string, description: string): Command =>
  group.command(command).description(description).argument('<NAME>', 'of the rule');

const settable = (command: Command): Command =>
  command
    .option('--effect <allow|deny>')
    .option('--description <TEXT>')
    .option('--position <N>', 'lower is asked first', wholeNumber('--position', 0, 1_000_000))
    .option('--bucket <NAME>', 'with * at the end: all that begin so')
    .option('--prefix <TEXT>', 'how the key begins')
    .option('--suffix <TEXT>', 'how the key ends')
    .option('--min-size <BYTES>', 'inclusive', wholeNumber('--min-size', 0, 2 ** 49))
    .option('--max-size <BYTES>', 'inclusive', wholeNumber('--max-size', 0, 2 ** 49))
    .option('--type <TYPES>', 'by comma, told from the first bytes: application/zip,image/*')
    .option('--tag <NAME=VALUE>', 'all of them; more than once', collect)
    .option('--trust-tags <on|off>', 'on: tags may take a scan away, though whoever uploads can set them')
    .option('--kind <KINDS>', 'by comma: created, restored')
    .option('--workflow <NAME>')
    .option('--version <N>', 'of the workflow; the newest by default', wholeNumber('--version', 1, 2 ** 31))
    .option(
      '--share <NAME[:VERSION]=PERCENT>',
      'so many of a hundred objects go there; more than once',
      collect,
    )
    .option('--priority <N>', '0 to 99, higher first', wholeNumber('--priority', 0, 99))
    .option('--input <JSON>', 'added to the workflow’s input, or @FILE: {"type": "${event.contentType}"}')
    .option('--enabled <on|off>')
    .option('--clear <FIELDS>', `unset by comma: ${Object.keys(CLEARABLE).join(', ')}`);

/** Over what the rule says already; a new one when there is none of this name. */
async function set(cli: Cli, name: string, wanted: WantedRule): Promise<void> {
  const spec = specFrom(wanted);
  if (Object.keys(spec).length === 0) throw new CommandError('trigger set: nothing to change is named.');
  const known = (await list(cli)).find((rule) => rule.name === name);
  if (known === undefined) {
    const rule = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null));
    return cli.print(await cli.client.call<Rule>('POST', TRIGGERS, { name, ...rule }), ruleLines);
  }
  const { name: _name, ...before } = specOf(known);
  const merged = Object.fromEntries(
    Object.entries({ ...before, ...spec }).filter(([, value]) => value !== null),
  );
  const body = { ...merged, ruleVersion: known.ruleVersion };
  cli.print(await cli.client.call<Rule>('PUT', pathOf(name), body), ruleLines);
}

const list = async (cli: Cli): Promise<readonly Rule[]> =>
  (await cli.client.call<{ readonly items: readonly Rule[] }>('GET', TRIGGERS)).items;

const pathOf = (name: string): string => `${TRIGGERS}/${encodeURIComponent(name)}`;

/** What can be sent again. */
const specOf = ({ origin: _o, ruleVersion: _r, updatedAt: _a, updatedBy: _b, problems: _p, ...spec }: Rule) =>
  spec;

const CONDITIONS = ['bucket', 'prefix', 'suffix', 'minSizeBytes', 'maxSizeBytes', 'contentTypes', 'tags'];

const whenOf = (rule: Rule): string =>
  CONDITIONS.filter((name) => rule[name] !== undefined)
    .map((name) => `${name}=${JSON.stringify(rule[name])}`)
    .join(' ') || 'always';

const targetOf = ({ workflow, version }: Rule): string | undefined =>
  version === undefined ? workflow : `${workflow} v${version}`;

function stateOf({ enabled, problems }: Rule): string {
  if (!enabled) return 'disabled';
  return problems.length > 0 ? 'enabled, and its uploads wait' : 'enabled';
}

/** What denies goes before all that allows, whatever its number; among themselves they go by it. */
const positionOf = ({ effect, position }: Rule): string | number =>
  effect === 'deny' ? `first (${position})` : position;

function ruleLines(rule: Rule): string[] {
  const { name, origin, ruleVersion, updatedAt, updatedBy, problems, enabled: _e, ...rest } = rule;
  return facts([
    ['rule', name],
    ['state', stateOf(rule)],
    ...Object.entries({ ...rest, position: positionOf(rule) }),
    ['kept by', origin],
    ['changed', `${updatedAt} by ${updatedBy} (version ${ruleVersion})`],
    ...problems.map((problem) => ['problem', problem] as const),
  ]);
}

function testLines({ decision, upload, rules, notes }: TestResult): string[] {
  const { rule, workflow, version, priority } = decision;
  const target = version === undefined ? 'the newest version' : `version ${version}`;
  return [
    decision.kind === 'skip'
      ? `It is not scanned: ${rule}.`
      : `It starts ${visible(workflow ?? '', 255)}, ${target}, with priority ${priority}, by the rule ${rule}.`,
    '',
    ...facts(Object.entries(upload)),
    ...notes.map((note) => `not known: ${visible(note, MAX_SENTENCE)}`),
    '',
    ...rules.map((one) => `${one.outcome.padEnd(8)}  ${one.rule}: ${visible(one.why, MAX_SENTENCE)}`),
  ];
}
