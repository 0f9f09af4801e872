import { setTimeout as pause } from 'node:timers/promises';
import type { Row } from '../row.js';
import { checkCounts } from './check.js';
import type { Contestant } from './contestant.js';
import {
  atMost,
  figure,
  loopOf,
  probe,
  startSallyport,
  withProcesses,
  type Recorded,
  type Stage,
} from './stage.js';
import { median } from './statistics.js';

const SIZES = [3, 1, 10] as const;
const AT_ONCE = 500;
const KINDS = ['none', 'events', 'chained'] as const satisfies readonly Recorded[];
const MUST_COST = 5;
const CHAINED_WITHIN_MS = 60_000;

interface Rival {
  readonly kind: Recorded;
  readonly database: string;
  readonly process: Contestant;
  readonly workflows: Map<number, number>;
  /** Workflows a second by size, round by round. */
  readonly rates: Map<number, number[]>;
}

/**
 * What the audit record costs the engine: workflows a second without an event, with one for each start in its own
 * transaction, and with those chained meanwhile. The turns are short and alternate, and each round is compared with
 * itself, so that a machine that others use, too, slows all three alike.
 */
export async function audit(stage: Stage, probes: number[]): Promise<Row[]> {
  const rivals: Rival[] = [];
  const rows = await withProcesses(async (keep) => {
    for (const kind of KINDS) {
      const database = `bench_audit_${kind}`;
      const url = await stage.cluster.create(database);
      const process = await keep(startSallyport(stage, `Sallyport (${kind})`, url, kind));
      rivals.push({ kind, database, process, workflows: new Map(), rates: new Map() });
    }
    for (let round = 0; round < stage.options.rounds; round += 1) {
      await probe(stage, probes);
      for (const tasks of SIZES) for (const rival of inTurn(rivals, round)) await run(stage, rival, tasks);
      stage.say(`round ${round + 1}: ${SIZES.map((tasks) => lineOf(rivals, tasks)).join('; ')}`);
    }
    return SIZES.flatMap((tasks) => rowsOf(rivals, tasks));
  });
  for (const { database } of rivals) await stage.cluster.drop(database);
  return rows;
}

/** Each is first, second and last as often. */
function inTurn(rivals: readonly Rival[], round: number): readonly Rival[] {
  const at = round % rivals.length;
  return [...rivals.slice(at), ...rivals.slice(0, at)];
}

async function run(stage: Stage, rival: Rival, tasks: number): Promise<void> {
  const loop = await rival.process.tell(loopOf(stage, tasks, AT_ONCE));
  rival.rates.set(tasks, [...(rival.rates.get(tasks) ?? []), loop.counted / loop.seconds]);
  const workflows = (rival.workflows.get(tasks) ?? 0) + loop.total;
  rival.workflows.set(tasks, workflows);
  await checkCounts(stage.cluster, rival.database, `no_op_${tasks}`, { workflows, tasks: workflows * tasks });
  await checkRecord(stage, rival);
}

/** What was to be recorded is, and chained before somebody else's turn. */
async function checkRecord({ cluster }: Stage, { kind, database, workflows }: Rival): Promise<void> {
  const started = [...workflows.values()].reduce((sum, count) => sum + count, 0);
  const deadline = performance.now() + CHAINED_WITHIN_MS;
  for (;;) {
    const [row] = await cluster.query<{ events: string; unchained: string }>(
      database,
      `SELECT (SELECT count(*) FROM audit_event WHERE action = 'workflow.started') AS events,
              (SELECT count(*) FROM audit_event) - (SELECT count(*) FROM audit_link) AS unchained`,
    );
    const expected = kind === 'none' ? 0 : started;
    if (Number(row?.events) !== expected)
      throw new Error(`${database}: ${row?.events} events of ${expected} that were to be`);
    if (kind !== 'chained' || Number(row?.unchained) === 0) return;
    if (performance.now() > deadline)
      throw new Error(`${database}: ${row?.unchained} events are not chained`);
    await pause(100);
  }
}

const ratesOf = (rivals: readonly Rival[], kind: Recorded, tasks: number): readonly number[] =>
  rivals.find((one) => one.kind === kind)?.rates.get(tasks) ?? [];

const lineOf = (rivals: readonly Rival[], tasks: number): string => {
  const last = KINDS.map((kind) => `${figure(ratesOf(rivals, kind, tasks).at(-1) ?? 0)} ${kind}`);
  return `${tasks}-task ${last.join(', ')}`;
};

function rowsOf(rivals: readonly Rival[], tasks: number): Row[] {
  const without = ratesOf(rivals, 'none', tasks);
  return (['events', 'chained'] as const).map((kind) => {
    const withIt = ratesOf(rivals, kind, tasks);
    const costs = withIt.map((rate, round) => 100 * (1 - rate / (without[round] ?? Number.NaN)));
    const name = kind === 'events' ? 'an event for each start' : 'the same, chained meanwhile';
    const from = `median of the rounds; ${figure(median(withIt))}/s against ${figure(median(without))}/s`;
    const row = atMost(`${tasks}-task workflows: ${name}, costs`, median(costs), MUST_COST, '%', from);
    // What must hold is said of the whole: events that are chained.
    return kind === 'chained' ? row : { ...row, must: '', ok: true };
  });
}
