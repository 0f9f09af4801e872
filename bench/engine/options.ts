import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** The measurements, in the order in which they run. */
export const MEASURES = ['throughput', 'replicas', 'latency', 'execute', 'rest', 'long'] as const;
export type Measure = (typeof MEASURES)[number];

export interface Options {
  readonly json: boolean;
  /** At least 5 where the figures are to count. */
  readonly rounds: number;
  /** Of each contestant in each round. */
  readonly seconds: number;
  /** How often a measurement is repeated whose probe varied too much. */
  readonly repeats: number;
  readonly only: readonly Measure[];
  /** Where each measured Node process leaves a CPU profile; costs some speed, so only to look into. */
  readonly profile: string | undefined;
}

const USAGE = `npm run bench:engine -- [--json] [--rounds N] [--seconds N] [--repeats N] [--only NAME,…] [--profile FOLDER]
names: ${MEASURES.join(', ')}`;

/** Reads the command line. Throws with the usage on anything that it does not know. */
export function readOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '20' },
        repeats: { type: 'string', default: '2' },
        only: { type: 'string', default: MEASURES.join(',') },
        profile: { type: 'string' },
      },
    });
    const names = values.only.split(',');
    const unknown = names.filter((name) => !MEASURES.some((measure) => measure === name));
    if (unknown.length > 0) throw new Error(`--only: there is no ${unknown.join(', ')}`);
    return {
      json: values.json,
      rounds: wholeNumber('--rounds', values.rounds, 1),
      seconds: wholeNumber('--seconds', values.seconds, 1),
      repeats: wholeNumber('--repeats', values.repeats, 0),
      only: MEASURES.filter((measure) => names.includes(measure)),
      profile: values.profile === undefined ? undefined : resolve(values.profile),
    };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${USAGE}`, { cause: error });
  }
}

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min)
    throw new Error(`${name}: must be a whole number from ${min}, not "${text}"`);
  return value;
}
