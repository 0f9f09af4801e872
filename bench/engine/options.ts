import { resolve } from 'node:path';
import { readBench, type BenchOptions } from '../options.js';

/** The measurements, in the order in which they run. */
export const MEASURES = ['throughput', 'replicas', 'latency', 'execute', 'rest', 'long', 'audit'] as const;
export type Measure = (typeof MEASURES)[number];

export interface Options extends BenchOptions<Measure> {
  /** At least 5 where the figures are to count. */
  readonly rounds: number;
  /** Of each contestant in each round. */
  readonly seconds: number;
  /** How often a measurement is repeated whose probe varied too much. */
  readonly repeats: number;
  /** Where each measured Node process leaves a CPU profile; costs some speed, so only to look into. */
  readonly profile: string | undefined;
}

/** Reads the command line. Throws with the usage on anything that it does not know. */
export function readOptions(args: readonly string[]): Options {
  const { profile, ...others } = readBench(args, {
    script: 'bench:engine',
    measures: MEASURES,
    numbers: {
      rounds: { usual: 5, min: 1 },
      seconds: { usual: 20, min: 1 },
      repeats: { usual: 2, min: 0 },
    },
    texts: { profile: 'FOLDER' },
  });
  return { ...others, profile: profile === undefined ? undefined : resolve(profile) };
}
