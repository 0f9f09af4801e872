import { readBench, type BenchOptions } from '../options.js';

/** The measurements, in the order in which they run. */
export const MEASURES = ['latency', 'built-in', 'clamd', 'large', 'memory'] as const;
export type Measure = (typeof MEASURES)[number];

/** Whose S3 the objects are uploaded to: the service's own, or versitygw on the same disk. */
export const STORES = ['embedded', 'versitygw'] as const;
export type StoreName = (typeof STORES)[number];

export interface Options extends BenchOptions<Measure> {
  readonly s3: StoreName;
  /** Rounds of each rate; the figure is their median. */
  readonly rounds: number;
  /** Small objects in each round. */
  readonly objects: number;
  /** Size of the object on which memory is watched. */
  readonly gigabytes: number;
}

/** Reads the command line. Throws with the usage on anything that it does not know. */
export function readOptions(args: readonly string[]): Options {
  const { s3, ...options } = readBench(args, {
    script: 'bench:e2e',
    measures: MEASURES,
    numbers: {
      rounds: { usual: 5, min: 1 },
      objects: { usual: 2000, min: 1 },
      gigabytes: { usual: 10, min: 1 },
    },
    texts: { s3: STORES.join('|') },
  });
  return { ...options, s3: STORES.find((name) => name === s3) ?? 'embedded' };
}
