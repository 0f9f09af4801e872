import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import { besideService } from '../beside-service.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { facts } from '../facts.js';
import { s3Url } from '../s3-url.js';
import { table } from '../table.js';
import { BESIDE } from './backup.js';

interface RestoreOptions {
  readonly discardExisting?: boolean;
  readonly takeBrokenChain?: boolean;
}

interface State {
  readonly isHeld: boolean;
  readonly restoration: {
    readonly backupAt: string;
    readonly restoredAt: string;
    readonly forkedAfter: number;
    readonly forkHead: string | null;
    readonly reconciliation: Reconciliation | null;
    readonly releasedAt: string | null;
    readonly releasedBy: string | null;
  } | null;
}

interface Reconciliation {
  readonly isComplete: boolean;
  readonly error: string | null;
  readonly buckets: readonly {
    readonly bucket: string;
    readonly state: string;
    readonly listed: number;
    readonly missing: number;
    readonly vanished: number;
    readonly older: number;
  }[];
  readonly waiting: number;
  readonly quarantine: {
    readonly compared: number;
    readonly counts: Readonly<Record<string, number>>;
    readonly unknown: number;
    readonly examples: readonly {
      readonly difference: string;
      readonly bucket: string;
      readonly key: string;
      readonly detail?: string;
    }[];
  } | null;
  readonly left: {
    readonly count: number;
    readonly examples: readonly { readonly bucket: string; readonly key: string }[];
  } | null;
  readonly anchors: {
    readonly count: number;
    readonly last?: { readonly events: number; readonly at: string };
  } | null;
}

const LOOK_EVERY_MS = 1000;
const OVER = new Set(['completed', 'failed', 'cancelled', 'paused']);

/** `restore PLACE`, and what is to be done after it: `status`, `reconcile`, `release`. */
export function addRestore(program: Command, cli: Cli): void {
  const group = program
    .command('restore')
    .description('bring an empty database to what a backup holds; the service then starts held')
    .argument('[PLACE]', 'as it was given to `backup`')
    .option('--discard-existing', 'into a database that is not empty: all that it holds is lost')
    .option('--take-broken-chain', 'also where the audit record in the backup is not whole')
    .addHelpText('after', BESIDE)
    .action(async (place: string | undefined, options: RestoreOptions) => {
      if (place === undefined)
        throw new CommandError('restore: say what to restore: a folder, or s3://bucket/prefix.');
      const restored = await besideService(cli, ({ restore }, tell) =>
        restore(place, options, cli.environment, tell),
      );
      cli.print(restored, ({ backupAt, rows, isWhole, forkedAfter, head, hasObjects }) => [
        `Restored from ${visible(place, 300)}`,
        ...facts([
          ['as of', backupAt],
          ['database', `${rows} rows`],
          ['audit record', `${isWhole ? 'whole' : 'NOT WHOLE, which is on record'}: ${forkedAfter} events`],
          ['goes on after', head],
          ['objects', hasObjects ? 'those of the embedded S3 endpoint' : 'none: they are in your own S3'],
        ]),
        'Start the service. It takes uploads and scans them, and does nothing to objects and tells nobody until you say:',
        ...NEXT,
      ]);
    });
  group
    .command('status')
    .description('whether the running service is held after a restore, and what was found since')
    .action(async () => {
      cli.print(await cli.client.call<State>('GET', '/api/v1/restore'), stateLines);
    });
  group
    .command('reconcile')
    .description(
      'compare every bucket and every quarantined object with the ledger; exit code 1: not to the end',
    )
    .option('--no-wait', 'do not wait for the end')
    .action(async ({ wait }: { wait: boolean }) => {
      const begun = await cli.client.call<State>('POST', '/api/v1/restore/reconcile');
      const state = wait ? await untilCompared(cli, begun) : begun;
      cli.print(state, stateLines);
      if (wait && state.restoration?.reconciliation?.isComplete !== true) cli.exitCode = 1;
    });
  group
    .command('release')
    .description('let actions and notifications go on after a restore')
    .requiredOption('--reason <TEXT>', 'why; it is on record with your name')
    .option('--without-reconciling', 'although the buckets were not compared')
    .action(
      async ({ reason, withoutReconciling = false }: { reason: string; withoutReconciling?: boolean }) => {
        const body = { reason, withoutReconciling };
        cli.print(await cli.client.call<State>('POST', '/api/v1/restore/release', body), stateLines);
      },
    );
}

const NEXT = [
  '  sallyport restore reconcile    compares the buckets with the ledger',
  '  sallyport restore release      lets it go on',
];

async function untilCompared(cli: Cli, begun: State): Promise<State> {
  const bar = cli.progress('buckets');
  try {
    for (let state = begun; ; state = await cli.client.call<State>('GET', '/api/v1/restore')) {
      const found = state.restoration?.reconciliation;
      if (found == null) return state;
      const over = found.buckets.filter((one) => OVER.has(one.state)).length;
      const isOver = (found.quarantine !== null || found.error !== null) && found.waiting === 0;
      bar.show({ done: over, total: found.buckets.length + found.waiting });
      if (isOver && over === found.buckets.length) return state;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  } finally {
    bar.end();
  }
}

function* stateLines({ isHeld, restoration }: State): Generator<string> {
  if (restoration === null) {
    yield 'This database was never restored: nothing is held.';
    return;
  }
  const { backupAt, restoredAt, forkedAfter, forkHead, releasedAt, releasedBy } = restoration;
  yield isHeld
    ? 'HELD: uploads are taken and scanned; nothing is done to objects, and no mail, Slack message or webhook leaves.'
    : 'Nothing is held.';
  yield* facts([
    ['restored', restoredAt],
    ['as of', backupAt],
    ['audit record', `goes on after event ${forkedAfter}${forkHead === null ? '' : `, ${forkHead}`}`],
    ['let go on', releasedAt === null ? null : `${releasedAt} by ${releasedBy ?? ''}`],
  ]);
  if (restoration.reconciliation !== null) yield* comparisonLines(restoration.reconciliation);
  if (isHeld) yield* NEXT;
}

function* comparisonLines({
  error,
  buckets,
  waiting,
  quarantine,
  left,
  anchors,
}: Reconciliation): Generator<string> {
  if (error !== null) yield `Not everything could be compared: ${visible(error, 500)}. Begin it again.`;
  yield* table(
    ['BUCKET', 'COMPARED', 'OBJECTS', 'NOT IN THE LEDGER', 'GONE', 'OLDER THAN THE WATCH'],
    buckets.map((one) => [one.bucket, one.state, one.listed, one.missing, one.vanished, one.older]),
  );
  if (waiting > 0) yield `${waiting} more buckets wait for their turn.`;
  if (quarantine !== null) {
    const { compared, counts, unknown } = quarantine;
    yield `Of ${compared} moves into quarantine: ${counts['back']} are back at their place, ${counts['gone']} are gone, ${counts['moved']} were done in the former life, ${unknown} could not be compared.`;
    for (const { difference, bucket, key, detail } of quarantine.examples)
      yield visible(
        `  ${difference.padEnd(8)} ${s3Url(bucket, key)}${detail === undefined ? '' : `  ${detail}`}`,
        1_500,
      );
  }
  if (left !== null && left.count > 0) {
    yield `${left.count} copies in quarantine are unknown to the ledger: the former life moved them behind the backup. To have one scanned again, copy it to where it came from (its metadata says where).`;
    for (const { bucket, key } of left.examples) yield visible(`  left     ${s3Url(bucket, key)}`, 1_500);
  }
  if (anchors?.last !== undefined)
    yield `AUDIT_BUCKET knows of ${anchors.last.events} events of the former life (${anchors.last.at}): what is behind the fork is not here.`;
}
