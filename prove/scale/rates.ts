import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Login } from '../../bench/engine/check.js';
import { Contestant } from '../../bench/engine/contestant.js';
import type { LoopResult } from '../../bench/engine/programs/messages.js';
import { compilePrograms } from '../../bench/engine/programs.js';
import { figure } from '../../bench/engine/stage.js';
import { median } from '../../bench/engine/statistics.js';
import type { CleanUp } from './clean-up.js';
import type { Cluster } from './cluster.js';

const TASKS = 3;
const AT_ONCE = 500;

export interface Contestants {
  readonly empty: Contestant;
  readonly parked: Contestant;
}

/** The bench's process of ours on each of the databases. */
export async function startContestants(
  cluster: Cluster,
  folder: string,
  login: Login,
  cleanUp: CleanUp,
): Promise<Contestants> {
  const program = compilePrograms();
  const start = async (name: keyof Cluster): Promise<Contestant> => {
    const home = join(folder, `bench-${name}`);
    mkdirSync(home);
    const args = [home, cluster[name].url, login.keyId, login.keySecret];
    const contestant = await Contestant.start(name, program('sallyport'), args);
    cleanUp.add(() => contestant.stop());
    return contestant;
  };
  const [empty, parked] = await Promise.all([start('empty'), start('parked')]);
  return { empty, parked };
}

export interface Rates {
  /** Of the empty database's rate to the other's, round by round. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  readonly emptyPerSecond: number;
  readonly parkedPerSecond: number;
  readonly emptyP50Ms: number;
  readonly parkedP50Ms: number;
}

/** Workflows of three tasks started and completed a second, on either database by turns. */
export async function compareRates(
  { empty, parked }: Contestants,
  rounds: number,
  seconds: number,
  say: (line: string) => void,
): Promise<Rates> {
  const rates = { empty: [] as number[], parked: [] as number[] };
  const p50 = { empty: [] as number[], parked: [] as number[] };
  const run = (contestant: Contestant, forSeconds: number): Promise<LoopResult> => {
    const warmSeconds = Math.min(2, forSeconds / 4);
    return contestant.tell({
      kind: 'loop',
      tasks: TASKS,
      concurrency: AT_ONCE,
      warmSeconds,
      seconds: forSeconds,
    });
  };
  const turn = async (name: 'empty' | 'parked', contestant: Contestant): Promise<void> => {
    const result = await run(contestant, seconds);
    rates[name].push(result.counted / result.seconds);
    p50[name].push(result.p50);
  };
  // As processes are after a while: the compiler has seen this code.
  for (const contestant of [empty, parked]) await run(contestant, seconds / 2);
  for (let round = 1; round <= rounds; round += 1) {
    const turns = [() => turn('empty', empty), () => turn('parked', parked)];
    for (const one of round % 2 === 1 ? turns : turns.toReversed()) await one();
    say(
      `round ${round}: ${figure(rates.empty.at(-1) ?? 0)} workflows/s on the empty database, ${figure(rates.parked.at(-1) ?? 0)} beside the parked ones`,
    );
  }
  const ratios = rates.empty.map((rate, index) => rate / (rates.parked[index] ?? Number.NaN));
  const rounded = (value: number): number => Number(value.toPrecision(4));
  return {
    ratio: rounded(median(ratios)),
    ratios: ratios.map(rounded),
    emptyPerSecond: rounded(median(rates.empty)),
    parkedPerSecond: rounded(median(rates.parked)),
    emptyP50Ms: rounded(median(p50.empty)),
    parkedP50Ms: rounded(median(p50.parked)),
  };
}
