import { Option, type Command } from 'commander';
import type { Cli } from '../cli.js';
import { parseBucket } from '../s3-url.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

interface Exception {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly target: string;
  readonly reason: string;
  readonly expiresAt: string;
  readonly requestedBy: { readonly name: string };
  readonly decidedBy: { readonly name: string } | null;
  readonly reviewId: string | null;
}

interface Page {
  readonly items: readonly Exception[];
  readonly nextCursor?: string;
}

interface Preview {
  readonly findings: number;
  readonly objects: number;
  readonly isCut: boolean;
  readonly sample: readonly {
    readonly ruleId: string;
    readonly severity: string;
    readonly bucket: string;
    readonly key: string;
    readonly path: string;
    readonly accepted: boolean;
  }[];
}

interface Target {
  readonly scope: string;
  readonly rule?: string;
  readonly of?: string;
  readonly bucket?: string;
  readonly prefix?: string;
}

/** `exceptions list|preview|request|extend|withdraw`: what two people agree on about findings. */
export function addExceptions(program: Command, cli: Cli): void {
  const group = program
    .command('exceptions')
    .description('findings that two people agree not to count: suppressed, no danger, or a risk for a time');
  group
    .command('list')
    .description('list them, the newest first')
    .option('--state <STATES>', 'by comma: REQUESTED, IN_FORCE, REFUSED, WITHDRAWN, EXPIRED, EXTENDED')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 500), 100)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async (options: { state?: string; limit: number; cursor?: string }) => {
      const page = await cli.client.call<Page>('GET', query('/api/v1/exceptions', { ...options }));
      cli.print(page, ({ items }) => listed(items));
      cli.more(page.nextCursor);
    });
  targeted(group.command('preview').description('what such an exception would answer for now')).action(
    async (finding: string | undefined, target: Target) => {
      const preview = await cli.client.call<Preview>(
        'POST',
        '/api/v1/exceptions/preview',
        targetOf(finding, target),
      );
      cli.print(preview, previewed);
    },
  );
  until(
    targeted(
      group
        .command('request')
        .description('ask for one; it counts when somebody else agreed, from the next scan on')
        .addOption(
          new Option('--kind <KIND>')
            .choices(['suppressed', 'false_positive', 'accepted_risk'])
            .makeOptionMandatory(),
        ),
    ),
  ).action(
    async (
      finding: string | undefined,
      { kind, reason, expires, ...target }: Target & { kind: string; reason: string; expires: string },
    ) => {
      const body = { kind, reason, expiresAt: expires, ...targetOf(finding, target) };
      cli.print(await cli.client.call<Exception>('POST', '/api/v1/exceptions', body), asked);
    },
  );
  until(
    group
      .command('extend')
      .description('ask to go on with one that is in force; somebody else must agree again')
      .argument('<EXCEPTION>'),
  ).action(async (id: string, { reason, expires }: { reason: string; expires: string }) => {
    const path = `/api/v1/exceptions/${encodeURIComponent(id)}/extend`;
    cli.print(await cli.client.call<Exception>('POST', path, { reason, expiresAt: expires }), asked);
  });
  group
    .command('withdraw')
    .description('end it, or take the request back; its objects are scanned again')
    .argument('<EXCEPTION>')
    .requiredOption('--reason <TEXT>')
    .action(async (id: string, { reason }: { reason: string }) => {
      const path = `/api/v1/exceptions/${encodeURIComponent(id)}/withdraw`;
      const ended = await cli.client.call<Exception>('POST', path, { reason });
      cli.print(ended, ({ target }) => [`withdrawn: ${target}`]);
    });
}

const targeted = (command: Command): Command =>
  command
    .argument('[FINDING]', 'id of a finding, as `findings --format json` tells it; not needed for a rule')
    .addOption(
      new Option('--scope <SCOPE>', 'this finding, the same secret anywhere, or all that a rule finds')
        .choices(['finding', 'secret', 'rule'])
        .default('finding'),
    )
    .option('--rule <RULE>', 'of the scope rule')
    .addOption(new Option('--of <KIND>', 'what the rule finds').choices(['secret', 'malware']))
    .option('--bucket <BUCKET>', 'of the scope rule')
    .option('--prefix <PREFIX>', 'of the scope rule: keys that begin so');

const until = (command: Command): Command =>
  command
    .requiredOption('--reason <TEXT>', 'why it is no danger, or may be borne')
    .requiredOption('--expires <TIME>', 'until then, as in 2027-01-31T00:00:00Z');

const targetOf = (findingId: string | undefined, { scope, rule, of, bucket, prefix }: Target) => ({
  scope,
  ...(findingId !== undefined && { findingId }),
  ...(rule !== undefined && { ruleId: rule }),
  ...(of !== undefined && { findingKind: of }),
  ...(bucket !== undefined && { bucket: parseBucket(bucket) }),
  ...(prefix !== undefined && { keyPrefix: prefix }),
});

const listed = (items: readonly Exception[]): string[] =>
  table(
    ['ID', 'STATE', 'KIND', 'UNTIL', 'ASKED BY', 'AGREED BY', 'FOR'],
    items.map((one) => [
      one.id,
      one.state,
      one.kind,
      one.expiresAt,
      one.requestedBy.name,
      one.decidedBy?.name ?? '',
      one.target,
    ]),
  );

const previewed = ({ findings, objects, isCut, sample }: Preview): string[] => [
  `${isCut ? 'more than ' : ''}${findings} findings in ${objects} objects`,
  ...table(
    ['SEVERITY', 'RULE', 'COUNTS', 'OBJECT', 'MEMBER'],
    sample.map((one) => [
      one.severity,
      one.ruleId,
      one.accepted ? 'accepted' : 'yes',
      `s3://${one.bucket}/${one.key}`,
      one.path,
    ]),
  ),
];

const asked = ({ id, target }: Exception): string[] => [
  `${id} asked for: ${target}. Somebody else must agree: sallyport review list`,
];
