import { readBench, type BenchOptions } from '../options.js';

/** The measurements, in the order in which they run. */
export const MEASURES = ['source', 'json', 'logs', 'memory', 'clamd', 'small'] as const;
export type Measure = (typeof MEASURES)[number];

export interface Options extends BenchOptions<Measure> {
  /** Rounds of each rate, alternating between ours and the peers; the figure is their median. */
  readonly rounds: number;
  /** Of text of each kind. */
  readonly megabytes: number;
  /** Size of the stream on which memory is watched. */
  readonly gigabytes: number;
}

/** Reads the command line. Throws with the usage on anything that it does not know. */
export const readOptions = (args: readonly string[]): Options =>
  readBench(args, {
    script: 'bench:scan',
    measures: MEASURES,
    numbers: {
      rounds: { usual: 5, min: 1 },
      megabytes: { usual: 40, min: 1 },
      gigabytes: { usual: 10, min: 1 },
    },
    texts: {},
  });
