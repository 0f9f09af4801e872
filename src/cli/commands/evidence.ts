import { open, rm, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Argument, Option, type Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

const KINDS = ['uploads', 'findings', 'reviews', 'decisions', 'exceptions', 'changes'];

interface Sample {
  readonly seed: string;
  readonly population: number;
  readonly size: number;
  readonly by: string | null;
  readonly strata: readonly {
    readonly stratum: string;
    readonly population: number;
    readonly size: number;
  }[];
  readonly items: readonly {
    readonly reviewId: string;
    readonly decidedAt: string;
    readonly outcome: string;
    readonly queue: string;
  }[];
}

interface Times {
  readonly from: string;
  readonly to: string;
}

/** `evidence export|sample`. */
export function addEvidence(program: Command, cli: Cli): void {
  const group = program
    .command('evidence')
    .description('whole populations for an auditor, and samples of the decisions');
  timed(
    group
      .command('export')
      .description('write every row of a kind: one of the time from --from until --to')
      .addArgument(new Argument('<KIND>', 'of what').choices(KINDS)),
  )
    .addOption(new Option('--format <FORMAT>', 'of the file').choices(['csv', 'jsonl']).default('csv'))
    .option('--bom', 'for spreadsheets that take a file without one for something else than UTF-8')
    .requiredOption('--output <FILE>', 'write it there, where nothing is yet')
    .action(async (kind: string, options: Times & { format: string; bom?: true; output: string }) => {
      const { format, from, to, bom, output } = options;
      const path = query(`/api/v1/evidence/${kind}.${format}`, {
        from,
        to,
        bom: bom === true ? 'true' : undefined,
      });
      const bytes = await write(output, await cli.client.download(path));
      cli.print({ kind, from, to, output, bytes }, () => [`${visible(output, 300)}: ${bytes} bytes`]);
    });
  timed(
    group.command('sample').description('draw decisions to be looked at, so that anybody draws them again'),
  )
    .option('--seed <SEED>', 'what it is drawn by; one is made when left out')
    .option(
      '--size <N>',
      'how many; 15 %, 25 at least and 60 at most when left out',
      wholeNumber('--size', 1, 1000),
    )
    .addOption(new Option('--by <WHAT>', 'the same share of each').choices(['outcome', 'queue']))
    .action(async (options: Times & { seed?: string; size?: number; by?: string }) => {
      const { from, to, seed, size, by } = options;
      const sample = await cli.client.call<Sample>(
        'GET',
        query('/api/v1/evidence/decisions/sample', { from, to, seed, size, by }),
      );
      cli.print(sample, sampleLines);
    });
}

const timed = (command: Command): Command =>
  command
    .requiredOption('--from <TIME>', 'a day or time, as in 2026-01-05 or 2026-01-05T08:00:00Z')
    .requiredOption('--to <TIME>', 'until then, exclusive; a year later at most');

/** To its end, or nothing of it stays. @returns how many bytes. */
async function write(output: string, body: AsyncIterable<Uint8Array>): Promise<number> {
  const file = await create(output);
  const stream = file.createWriteStream();
  try {
    await pipeline(body, stream);
  } catch (error) {
    await rm(output);
    throw error;
  }
  return stream.bytesWritten;
}

async function create(output: string): Promise<FileHandle> {
  try {
    // An earlier export is somebody's evidence.
    return await open(output, 'wx');
  } catch (error) {
    const remedy = 'Name a new file in a folder that is yours.';
    throw new CommandError(`--output: ${visible((error as Error).message, 300)}. ${remedy}`, {
      cause: error,
    });
  }
}

function* sampleLines({ seed, population, size, by, strata, items }: Sample): Generator<string> {
  yield* table(
    ['REVIEW', 'DECIDED', 'OUTCOME', 'QUEUE'],
    items.map((one) => [one.reviewId, one.decidedAt, one.outcome, one.queue]),
  );
  yield `${size} of ${population} decisions, drawn by the seed ${seed}`;
  if (by !== null)
    for (const one of strata) yield `${visible(one.stratum, 100)}: ${one.size} of ${one.population}`;
}
