import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Login } from './check.js';
import type { Cluster } from './cluster.js';
import { Contestant } from './contestant.js';
import type { Options } from './options.js';
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

/** One line of the table and of the JSON. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly must: string;
  readonly ok: boolean;
  /** What the value was computed from, for people. */
  readonly from: string;
}

export const newLogin = (): Login => ({ keyId: 'bench', keySecret: randomBytes(16).toString('hex') });

let homes = 0;

/** One process of ours; it migrates its database first, as the service does. */
export function startSallyport(stage: Stage, name: string, url: string): Promise<Contestant> {
  const home = join(stage.folder, `home-${(homes += 1)}`);
  mkdirSync(home);
  const { keyId, keySecret } = stage.login;
  return Contestant.start(name, stage.program('sallyport'), [home, url, keyId, keySecret]);
}

export const startDbos = (stage: Stage, url: string): Promise<Contestant> =>
  Contestant.start('DBOS', stage.program('dbos'), [url]);

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
