import { parseArgs } from 'node:util';

/** The measurements, in the order in which they run. */
export const MEASURES = ['latency', 'built-in', 'clamd', 'large', 'memory'] as const;
export type Measure = (typeof MEASURES)[number];

export interface Options {
  readonly json: boolean;
  readonly only: readonly Measure[];
  /** Rounds of each rate; the figure is their median. */
  readonly rounds: number;
  /** Small objects in each round. */
  readonly objects: number;
  /** Size of the object on which memory is watched. */
  readonly gigabytes: number;
}

const USAGE = `npm run bench:e2e -- [--json] [--only NAME,…] [--rounds N] [--objects N] [--gigabytes N]
names: ${MEASURES.join(', ')}`;

/** Reads the command line. Throws with the usage on anything that it does not know. */
export function readOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        only: { type: 'string', default: MEASURES.join(',') },
        rounds: { type: 'string', default: '5' },
        objects: { type: 'string', default: '2000' },
        gigabytes: { type: 'string', default: '10' },
      },
    });
    const names = values.only.split(',');
    const unknown = names.filter((name) => !MEASURES.some((measure) => measure === name));
    if (unknown.length > 0) throw new Error(`--only: there is no ${unknown.join(', ')}`);
    return {
      json: values.json,
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
