import { parseArgs } from 'node:util';

/** The measurements, in the order in which they run. */
export const MEASURES = ['latency', 'built-in', 'clamd', 'large', 'memory'] as const;
export type Measure = (typeof MEASURES)[number];

/** Whose S3 the objects are uploaded to: the service's own, or versitygw on the same disk. */
export const STORES = ['embedded', 'versitygw'] as const;
export type StoreName = (typeof STORES)[number];

export interface Options {
  readonly json: boolean;
  readonly s3: StoreName;
  readonly only: readonly Measure[];
  /** Rounds of each rate; the figure is their median. */
  readonly rounds: number;
  /** Small objects in each round. */
  readonly objects: number;
  /** Size of the object on which memory is watched. */
  readonly gigabytes: number;
}

const USAGE = `npm run bench:e2e -- [--json] [--s3 embedded|versitygw] [--only NAME,…] [--rounds N] [--objects N] [--gigabytes N]
names: ${MEASURES.join(', ')}`;

/** Reads the command line. Throws with the usage on anything that it does not know. */
export function readOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        s3: { type: 'string', default: 'embedded' },
        only: { type: 'string', default: MEASURES.join(',') },
        rounds: { type: 'string', default: '5' },
        objects: { type: 'string', default: '2000' },
        gigabytes: { type: 'string', default: '10' },
      },
    });
    const names = values.only.split(',');
    const unknown = names.filter((name) => !MEASURES.some((measure) => measure === name));
    if (unknown.length > 0) throw new Error(`--only: there is no ${unknown.join(', ')}`);
    const s3 = STORES.find((store) => store === values.s3);
    if (s3 === undefined) throw new Error(`--s3: must be ${STORES.join(' or ')}, not "${values.s3}"`);
    return {
      json: values.json,
      s3,
      only: MEASURES.filter((measure) => names.includes(measure)),
      rounds: wholeNumber('--rounds', values.rounds),
      objects: wholeNumber('--objects', values.objects),
      gigabytes: wholeNumber('--gigabytes', values.gigabytes),
    };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${USAGE}`, { cause: error });
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${name}: must be a whole number from 1, not "${text}"`);
  return value;
}
