import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { visible } from '../../outbound/safe-text.js';
import { named } from '../accounts.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { confirmed } from '../confirm.js';
import { facts } from '../facts.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

interface AuditEvent {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly data: unknown;
  readonly seq: number | null;
}

interface EventPage {
  readonly items: readonly AuditEvent[];
  readonly nextCursor?: string;
}

interface Fork {
  readonly after: number;
  readonly backupAt: string;
  readonly restoredAt: string;
}

interface Chain {
  readonly chain: string;
  readonly events: number;
  readonly head: string | null;
  readonly signedUpTo: number;
  readonly signedAt: string | null;
  readonly anchoredUpTo: number;
  readonly isKeptElsewhere: boolean;
  readonly copies: readonly {
    readonly place: string;
    readonly upTo: number;
    readonly lockedUntil: string | null;
  }[];
  readonly forks: readonly Fork[];
  readonly key: { readonly keyId: string; readonly publicKey: string };
}

interface Verification {
  readonly chain: string;
  readonly isWhole: boolean;
  readonly bad?: { readonly seq?: number; readonly eventId?: string; readonly what: string };
  readonly events: number;
  readonly head: string;
  readonly checkpoints: number;
  readonly anchoredUpTo: number;
  readonly waiting: number;
  readonly personal: number;
  readonly erased: number;
  readonly forks: readonly Fork[];
}

interface Filter {
  readonly from?: string;
  readonly to?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly cursor?: string;
  readonly limit: number;
}

const Kept = z.object({ seq: z.number().int().min(1), head: z.string().regex(/^[0-9a-f]{64}$/) });
const MAX_KEPT_BYTES = 10_000;
const MOST = Number.MAX_SAFE_INTEGER;

/** `audit list|chain|verify|extract|erase`. */
export function addAudit(program: Command, cli: Cli): void {
  const group = program
    .command('audit')
    .description('what was done, by whom, and whether the record still says so');
  group
    .command('list')
    .description('list events, the newest first')
    .option('--from <TIME>', 'from then on, as 2026-03-02T08:00:00Z')
    .option('--to <TIME>', 'before then')
    .option('--actor <ACTOR>', 'by whom, as user:1f0c… or worker:release_object')
    .option('--action <ACTION>', 'what, as review.decided')
    .option('--subject <SUBJECT>', 'to what, as review:1f0c…')
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 1000), 100)
    .action(async (filter: Filter) => {
      const page = await cli.client.call<EventPage>('GET', query('/api/v1/audit', { ...filter }));
      cli.print(page, ({ items }) =>
        table(
          ['TIME', 'ACTOR', 'ACTION', 'SUBJECT', 'DATA'],
          items.map((one) => [one.at, one.actor, one.action, one.subject, dataOf(one)]),
        ),
      );
      cli.more(page.nextCursor);
    });
  group
    .command('chain')
    .description('how far it is chained, signed and kept elsewhere')
    .action(async () => {
      const chain = await cli.client.call<Chain>('GET', '/api/v1/audit/chain');
      cli.print(chain, chainLines);
    });
  group
    .command('extract')
    .description('write a part of the chain, and the program that verifies it with Node alone')
    .argument('<FOLDER>', 'where to: audit.jsonl and verify.mjs')
    .option('--first <N>', 'from this place of the chain on', wholeNumber('--first', 1, MOST), 1)
    .option('--last <N>', 'up to this place; to its end when left out', wholeNumber('--last', 1, MOST))
    .action(async (folder: string, { first, last }: { first: number; last?: number }) => {
      const extract = await cli.client.file(query('/api/v1/audit/extract', { from: first, to: last }));
      const verifier = await cli.client.file('/api/v1/audit/verifier');
      const files = [write(folder, 'audit.jsonl', extract), write(folder, 'verify.mjs', verifier)];
      cli.print({ files }, () => [
        ...files,
        `To verify: node ${visible(join(folder, 'verify.mjs'), 300)} ${visible(join(folder, 'audit.jsonl'), 300)}`,
      ]);
    });
  group
    .command('verify')
    .description('follow the whole chain, and compare it with checkpoints that were kept elsewhere')
    .argument('[CHECKPOINT...]', 'files as AUDIT_BUCKET has them')
    .option('--seq <N>', 'of a checkpoint in a mail: its number of events', wholeNumber('--seq', 1, MOST))
    .option('--head <HASH>', 'its head')
    .action(async (files: readonly string[], { seq, head }: { seq?: number; head?: string }) => {
      if ((seq === undefined) !== (head === undefined))
        throw new CommandError('--seq and --head go together: a checkpoint has both.');
      const known = [...files.map(keptIn), ...(seq === undefined ? [] : [{ seq, head }])];
      const found = await cli.client.call<Verification>('POST', '/api/v1/audit/verify', { known });
      cli.print(found, (one) => verificationLines(one, known.length));
      if (!found.isWhole) cli.exitCode = 1;
    });
  group
    .command('erase')
    .description('erase what the record says of a person: names, addresses, what they wrote. The events stay')
    .argument('<PERSON>', 'name or id of an account, or an actor as mail:ann@example.com')
    .requiredOption('--reason <TEXT>', 'why; it stays in the record for good, so it should name nobody')
    .option('--yes', 'do not ask first')
    .action(async (given: string, { reason, yes = false }: { reason: string; yes?: boolean }) => {
      const person = given.includes(':') ? given : `user:${(await named(cli, '/api/v1/users', given)).id}`;
      const question = `Erase what the audit record says of ${visible(person, 400)}? It cannot be undone.`;
      if (!yes && !(await confirmed(cli, question, '--yes'))) return;
      const done = await cli.client.call<{ erased: number }>('POST', '/api/v1/audit/erase', {
        person,
        reason,
      });
      cli.print(done, ({ erased }) => [
        erased === 0
          ? 'The record says nothing of them that could be erased.'
          : `Erased ${erased} values. What was recorded before they were kept beside the events still stands.`,
      ]);
    });
}

/** An erasure names up to a thousand commitments, which nobody reads here. */
const dataOf = ({ data }: AuditEvent): string =>
  JSON.stringify(data, (name, value: unknown) =>
    name === 'commitments' && Array.isArray(value) ? undefined : value,
  );

function write(folder: string, name: string, bytes: Buffer): string {
  const file = join(folder, name);
  try {
    mkdirSync(folder, { recursive: true });
    // An earlier extract is somebody's evidence.
    writeFileSync(file, bytes, { flag: 'wx' });
  } catch (error) {
    throw new CommandError(`${visible((error as Error).message, 300)}. Name a new folder that is yours.`, {
      cause: error,
    });
  }
  return file;
}

function keptIn(file: string): z.infer<typeof Kept> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${visible(file, 200)}: cannot be read (${(error as Error).message}).`, {
      cause: error,
    });
  }
  if (text.length > MAX_KEPT_BYTES)
    throw new CommandError(`${visible(file, 200)}: is no checkpoint: too long.`);
  try {
    return Kept.parse(JSON.parse(text));
  } catch (error) {
    throw new CommandError(`${visible(file, 200)}: is no checkpoint: it must be JSON with seq and head.`, {
      cause: error,
    });
  }
}

function lockText(place: string, lockedUntil: string | null): string {
  if (lockedUntil !== null) return `locked until ${lockedUntil}.`;
  if (!place.startsWith('s3:')) return 'as long as the mail is kept.';
  return 'not locked: whoever may delete there can take it away. Give the bucket object lock.';
}

const chainLines = (chain: Chain): string[] => [
  ...facts([
    ['chain', chain.chain],
    ['events', chain.events],
    ['head', chain.head],
    ['signed up to', chain.signedUpTo],
    ['signed at', chain.signedAt],
    ['kept elsewhere up to', chain.anchoredUpTo],
    ['key', `${chain.key.keyId} (Ed25519 ${chain.key.publicKey})`],
  ]),
  ...chain.copies.map(
    ({ place, upTo, lockedUntil }) =>
      `Copy in ${visible(place, 300)} up to ${upTo}: ${lockText(place, lockedUntil)}`,
  ),
  ...chain.forks.map(forkLine),
  ...(chain.isKeptElsewhere
    ? []
    : [
        'Checkpoints are kept nowhere else: whoever owns the database and SALLYPORT_KEY can write another history.',
        'Set AUDIT_BUCKET or AUDIT_TO.',
      ]),
];

const forkLine = ({ after, backupAt, restoredAt }: Fork): string =>
  `Restored ${restoredAt} from a backup of ${backupAt}: what was recorded behind event ${after} in the former life is not here.`;

function verificationLines(found: Verification, known: number): string[] {
  const { isWhole, bad, events, head, checkpoints, anchoredUpTo, waiting, personal, erased, forks } = found;
  const first = bad?.seq === undefined ? `event ${bad?.eventId ?? '?'}` : `place ${bad.seq}`;
  return [
    isWhole
      ? `Whole: ${events} events, ${checkpoints} checkpoints of the database${known === 0 ? '' : `, ${known} of yours`}.`
      : `NOT WHOLE: ${first} ${bad?.what ?? ''}.`,
    ...facts([
      ['head', head],
      ['recorded, not chained yet', waiting],
      ['facts about people', personal + erased === 0 ? null : `${personal} as recorded, ${erased} erased`],
    ]),
    ...forks.map(forkLine),
    ...(isWhole && anchoredUpTo < events
      ? [`The last ${events - anchoredUpTo} events are not known outside this database yet.`]
      : []),
  ];
}
