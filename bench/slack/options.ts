import { readBench, type BenchOptions } from '../options.js';

/** The ways in from Slack, in the order in which they are measured. */
export const TRANSPORTS = ['http', 'socket'] as const;
export type Transport = (typeof TRANSPORTS)[number];

export interface Options extends BenchOptions<Transport> {
  /** Interactions a second. */
  readonly rate: number;
  readonly seconds: number;
  /** People who click, each with an account of their own. */
  readonly people: number;
}

/** Reads the command line. Throws with the usage on anything that it does not know. */
export const readOptions = (args: readonly string[]): Options =>
  readBench(args, {
    script: 'bench:slack',
    measures: TRANSPORTS,
    numbers: {
      rate: { usual: 200, min: 4 },
      seconds: { usual: 32, min: 4 },
      people: { usual: 20, min: 1 },
    },
    texts: {},
  });
