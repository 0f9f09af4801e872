import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import { bucketPath, findBucket, type PlacedBucket } from '../buckets.js';
import type { Cli } from '../cli.js';
import { examine, examinationLines } from '../examination.js';
import { CommandError } from '../command-error.js';
import { confirmed } from '../confirm.js';
import { listOf, query } from '../values.js';

interface Plan {
  readonly kind: 'sqs' | 'webhook' | 'embedded';
  readonly region?: string;
  readonly account?: string;
  readonly queueUrl?: string;
  readonly digest?: string;
  readonly steps: readonly {
    readonly title: string;
    readonly state: 'done' | 'create' | 'change' | 'blocked';
    readonly changes: readonly {
      readonly name: string;
      readonly before: string | null;
      readonly after: string;
    }[];
    readonly why?: string;
  }[];
  readonly servicePolicy?: unknown;
  readonly webhook?: {
    readonly url: string;
    readonly token: string;
    readonly servers: readonly {
      readonly name: string;
      readonly commands: readonly string[];
      readonly note: string;
    }[];
  };
  readonly notes: readonly string[];
}

interface ConnectOptions {
  readonly endpoint?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly queueName?: string;
  readonly account?: string;
  readonly kmsKey?: string;
  readonly via?: string;
  readonly yes?: boolean;
  readonly terraform?: boolean;
  readonly cloudformation?: boolean;
}

const SIGNS = { done: '=', create: '+', change: '~', blocked: '!' } as const;
// Applying waits for queues and policies that become known to S3 one by one.
const APPLY_MS = 90_000;

const POLICY_HELP = `
The policy alone is on stdout, with --json too, and what is to be said of it on stderr:

  sallyport bucket-policy s3://BUCKET --scanner ARN > policy.json
  aws s3api put-bucket-policy --bucket BUCKET --policy file://policy.json`;

/** `connect`: sets up how a bucket tells of its uploads; `bucket-policy`: who may read them. */
export function addConnect(program: Command, cli: Cli): void {
  program
    .command('connect')
    .description('set up the queue and the notification by which a bucket tells of its uploads')
    .argument('<BUCKET>', 's3://name of a registered bucket')
    .option('--endpoint <ID>', 'where it is; needed when several have one of this name')
    .option('--prefix <PREFIX>', 'only keys that begin so')
    .option('--suffix <SUFFIX>', 'only keys that end so')
    .option('--queue-name <NAME>', 'another name than sallyport-<bucket>')
    .option('--account <ID>', 'the AWS account of the bucket, where it is not that of the queue')
    .option('--kms-key <ARNS>', 'by comma: keys that encrypt its objects, for the rights of the service')
    .option('--via <WAY>', 'sqs, or eventbridge with a template')
    .option('--yes', 'apply without asking')
    .option('--terraform', 'print it for Terraform instead')
    .option('--cloudformation', 'print it for CloudFormation instead')
    .action(async (name: string, options: ConnectOptions) => {
      const bucket = await findBucket(cli, name, options.endpoint);
      if (options.terraform === true || options.cloudformation === true) {
        return printTemplate(cli, bucket, options);
      }
      if (options.via !== undefined && options.via !== 'sqs') {
        throw new CommandError('--via eventbridge is printed only: add --terraform or --cloudformation.');
      }
      await connect(cli, bucket, options);
    });
  program
    .command('bucket-policy')
    .description('print the policy that denies reads until an object is clean, and forging our tags')
    .argument('<BUCKET>', 's3://name of a registered bucket')
    .option('--endpoint <ID>', 'where it is; needed when several have one of this name')
    .option('--scanner <ARNS>', 'by comma: the roles or users as whom the service works')
    .option('--break-glass <ARNS>', 'by comma: who reads and tags in spite of it')
    .option('--others-may-tag', 'let others tag, with other keys than ours')
    .addHelpText('after', POLICY_HELP)
    .action(async (name: string, options: Record<string, string | boolean | undefined>) => {
      const bucket = await findBucket(cli, name, options['endpoint'] as string | undefined);
      const path = query(`${bucketPath(bucket)}/policy`, {
        scanners: options['scanner'] as string | undefined,
        breakGlass: options['breakGlass'] as string | undefined,
        othersMayTag: options['othersMayTag'] === true ? 'true' : undefined,
      });
      const answer = await cli.client.call<{
        policy: unknown;
        differs: boolean;
        limits: readonly string[];
        notes: readonly string[];
      }>('GET', path);
      // With --json too: the policy alone goes into a file, and what is to be said of it beside it.
      cli.out(JSON.stringify(answer.policy, null, 2));
      for (const line of [...answer.notes, ...answer.limits]) cli.note(line);
    });
}

async function connect(cli: Cli, bucket: PlacedBucket, options: ConnectOptions): Promise<void> {
  const plan = await cli.client.call<Plan>('POST', `${bucketPath(bucket)}/connect/plan`, wishOf(options));
  const todo = plan.steps.filter(({ state }) => state !== 'done');
  const isBlocked = todo.some(({ state }) => state === 'blocked');
  if (isBlocked || todo.length === 0) {
    cli.exitCode = isBlocked ? 1 : 0;
    return cli.print(plan, linesOf);
  }
  if (options.yes !== true) {
    for (const line of linesOf(plan)) cli.note(line);
    if (!(await confirmed(cli, `Apply ${todo.length} step(s) to ${bucket.bucket}?`, '--yes'))) {
      cli.exitCode = 1;
      return cli.print({ applied: false, plan }, () => ['Nothing was changed.']);
    }
  }
  const applied = await cli.client.call<Plan>(
    'POST',
    `${bucketPath(bucket)}/connect/apply`,
    { ...wishOf(options), digest: plan.digest },
    [],
    APPLY_MS,
  );
  const examination = await examine(cli, [bucket], 20);
  cli.print({ ...applied, examination }, (all) => [...linesOf(all), '', ...examinationLines(examination)]);
  if (examination.worst === 'fail') cli.exitCode = 1;
}

async function printTemplate(cli: Cli, bucket: PlacedBucket, options: ConnectOptions): Promise<void> {
  if (options.terraform === true && options.cloudformation === true) {
    throw new CommandError('Say one of --terraform and --cloudformation.');
  }
  const body = {
    ...wishOf(options),
    format: options.terraform === true ? 'terraform' : 'cloudformation',
    via: options.via,
  };
  const answer = await cli.client.call<{ fileName: string; text: string }>(
    'POST',
    `${bucketPath(bucket)}/connect/template`,
    body,
  );
  cli.print(answer, ({ text }) => [text.trimEnd()]);
  if (!cli.json) cli.note(`save it as ${answer.fileName}`);
}

const wishOf = ({ prefix, suffix, queueName, account, kmsKey }: ConnectOptions) => ({
  prefix,
  suffix,
  queueName,
  account,
  ...(kmsKey !== undefined && { kmsKeyArns: listOf(kmsKey) }),
});

function linesOf(plan: Plan): string[] {
  const shown = (text: string): string => visible(text, 2_000);
  const lines = plan.steps.flatMap(({ title, state, changes, why }) => [
    `${SIGNS[state]} ${shown(title)}`,
    ...changes.flatMap(({ name, before, after }) => [
      ...(before === null ? [] : [`    - ${name}: ${shown(before)}`]),
      `    + ${name}: ${shown(after)}`,
    ]),
    ...(why === undefined ? [] : [`    ${shown(why)}`]),
  ]);
  for (const { name, commands, note } of plan.webhook?.servers ?? []) {
    lines.push(`${name}:`, ...commands.map((command) => `    ${shown(command)}`), `    ${note}`);
  }
  if (plan.webhook !== undefined) lines.push(`The token: ${plan.webhook.token}.`);
  return [...lines, ...plan.notes.map((note) => shown(note))];
}
