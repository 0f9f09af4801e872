import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../row.js';
import type { Login } from './check.js';
import type { Cluster } from './cluster.js';
import { Contestant } from './contestant.js';
import type { Options } from './options.js';
import type { LoopOrder } from './programs/messages.js';
import type { Yardstick } from './pgbench.js';

/** What every measurement works with. */
export interface Stage {
  readonly options: Options;
  readonly cluster: Cluster;
  readonly yardstick: Yardstick;
  readonly folder: string;
  readonly program: (name: string) => string;
  readonly login: Login;
  readonly say: (line: string) => void;
}

export const newLogin = (): Login => ({ keyId: 'bench', keySecret: randomBytes(16).toString('hex') });

let homes = 0;

/** What a process of ours records of the workflows that it starts: nothing, an event each, or one that is chained, too. */
export type Recorded = 'none' | 'events' | 'chained';

/** One process of ours; it migrates its database first, as the service does. */
export function startSallyport(
  stage: Stage,
  name: string,
  url: string,
  recorded: Recorded = 'events',
): Promise<Contestant> {
  const home = join(stage.folder, `home-${(homes += 1)}`);
  mkdirSync(home);
  const { keyId, keySecret } = stage.login;
  return Contestant.start(
    name,
    stage.program('sallyport'),
    [home, url, keyId, keySecret, recorded],
    stage.options.profile,
  );
}

export const startDbos = (stage: Stage, url: string): Promise<Contestant> =>
  Contestant.start('DBOS', stage.program('dbos'), [url], stage.options.profile);

/** A client of ours in a process of its own. */
export const startClient = ({ program, login, options }: Stage, url: string): Promise<Contestant> =>
  Contestant.start(
    'the client',
    program('rest-client'),
    [url, login.keyId, login.keySecret],
    options.profile,
  );

/** A closed loop as long as the options say. */
export const loopOf = ({ options }: Stage, tasks: number, concurrency: number): LoopOrder => ({
  kind: 'loop',
  tasks,
  concurrency,
  warmSeconds: Math.min(2, options.seconds / 4),
  seconds: options.seconds,
});

// Long enough for a figure that repeats, short beside the rounds that it stands between.
const PROBE_SECONDS = 5;

/** Asks the yardstick how the machine is at the moment. */
export async function probe({ yardstick, options }: Stage, probes: number[]): Promise<void> {
  probes.push(await yardstick.measure(Math.min(PROBE_SECONDS, options.seconds)));
}

/** Starts processes and stops them again, newest first, however the work ends. */
export async function withProcesses<T>(
  work: (keep: (starting: Promise<Contestant>) => Promise<Contestant>) => Promise<T>,
): Promise<T> {
  const started: Contestant[] = [];
  try {
    return await work(async (starting) => {
      const one = await starting;
      started.push(one);
      return one;
    });
  } finally {
    for (const one of started.toReversed()) await one.stop();
  }
}

/** `0.00` with as many digits as say something. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** A row whose value must be at least `must`. */
export function atLeast(name: string, value: number, must: number, unit: string, from: string): Row {
  return { name, value: rounded(value), unit, must: `>= ${must}`, ok: value >= must, from };
}

/** A row whose value must be at most `must`. */
export function atMost(name: string, value: number, must: number, unit: string, from: string): Row {
  return { name, value: rounded(value), unit, must: `<= ${must}`, ok: value <= must, from };
}

const rounded = (value: number): number => Number(value.toPrecision(4));
