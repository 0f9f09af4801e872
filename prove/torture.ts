import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../src/embedded/postgres/start-embedded-postgres.js';
import { TcpProxy } from '../test/support/tcp-proxy.js';
import { randomFrom, readOptions, report, SIZE_AND_SEED } from './proof.js';
import {
  DEFINITIONS,
  inputOf,
  nameOf,
  REMOTE,
  resultOf,
  SHAPES,
  VARIANTS,
  type Shape,
} from './torture/definitions.js';
import { Replicas } from './torture/replicas.js';
import { RECORD_ENDS, unfinishedBusiness } from './torture/records.js';

/*
 * Mixed workflows on two replicas while each of them is killed with SIGKILL at random, PostgreSQL is restarted in
 * immediate mode, and a proxy cuts the connections. Every workflow must end with the output of an undisturbed run, no
 * attempt may end twice, and nothing may be left over.
 */

const SIZES = {
  small: { workflows: 120, killsEach: 2, restarts: 1, inFlight: 60, minutes: 5 },
  full: { workflows: 5_000, killsEach: 20, restarts: 3, inFlight: 400, minutes: 40 },
} as const;
const CUT_EVERY_MS = 4_000;
const REPLICAS = 2;

interface Run {
  readonly workflowId: string;
  readonly shape: Shape;
  readonly variant: number;
}

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const size = SIZES[options.size];
  process.stdout.write(
    `torture: ${size.workflows} workflows, ${size.killsEach} kills each, seed ${options.seed}\n`,
  );
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-torture-'));
  // Open to pass through: as root, PostgreSQL runs under another account.
  chmodSync(folder, 0o711);
  const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), isDurable: true });
  const proxy = await TcpProxy.toUrl(postgres.url);
  const began = performance.now();
  const random = randomFrom(options.seed);
  const look = new Watcher(postgres.adminUrl);
  const replicas = new Replicas(REPLICAS, [proxy.through(postgres.url), postgres.adminUrl], folder);
  try {
    await replicas.start();
    await look.run(RECORD_ENDS);
    const wanted = await reference(replicas, look);
    const runs = draw(size.workflows, random);
    const deadline = performance.now() + size.minutes * 60_000;
    const state = { isOver: false };
    const people = Promise.all([answerRemote(replicas, state), answerPeople(replicas, look, state, random)]);
    const starting = startAll(replicas, look, runs, size.inFlight);
    const troubles = await disturb(replicas, proxy, postgres, size, random, () => look.progress(runs.length));
    await starting;
    const isEnded = await allEnded(look, runs.length, deadline);
    state.isOver = true;
    await people;
    const problems = isEnded ? [] : ['not every workflow ended in time'];
    problems.push(
      ...(await compare(look, runs, wanted)),
      ...(await unfinishedBusiness((text) => look.run(text))),
    );
    const figures = {
      workflows: runs.length,
      ...troubles,
      ...(await look.figures()),
      problems: problems.slice(0, 20),
    };
    const isWhole = troubles.kills === size.killsEach * REPLICAS && troubles.restarts === size.restarts;
    const passed = problems.length === 0 && isWhole;
    report('torture', options, (performance.now() - began) / 1000, figures, passed);
    return passed;
  } finally {
    await replicas.stop();
    await look.close();
    await proxy.close();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads the database past the proxy, also across its restarts. */
class Watcher {
  private client: Client | undefined;

  constructor(private readonly url: string) {}

  async run<Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    for (let tries = 0; ; tries += 1) {
      try {
        if (this.client === undefined) {
          const client = new Client({ connectionString: this.url });
          client.on('error', () => (this.client = undefined));
          await client.connect();
          this.client = client;
        }
        return (await this.client.query(text, [...values])).rows as Row[];
      } catch (error) {
        this.client = undefined;
        if (tries >= 100) throw error;
        await delay(200);
      }
    }
  }

  /** The share of so many workflows that have ended. */
  async progress(of: number): Promise<number> {
    const [row] = await this.run<{ ended: number }>(
      `SELECT count(*)::int AS ended FROM workflow WHERE ended_at IS NOT NULL AND depth = 0 AND id LIKE 'run-%'`,
    );
    return (row?.ended ?? 0) / of;
  }

  async figures(): Promise<Record<string, unknown>> {
    const [row] = await this.run(
      `SELECT count(*)::int AS attempts, count(*) FILTER (WHERE retried)::int AS "retriedAttempts",
         max(poll_count)::int AS "mostLeasesOfAnAttempt" FROM task`,
    );
    return row ?? {};
  }

  async close(): Promise<void> {
    await this.client?.end();
  }
}

/** Every shape with every input once, undisturbed: what the others must end with. */
async function reference(replicas: Replicas, look: Watcher): Promise<ReadonlyMap<string, unknown>> {
  const runs = SHAPES.flatMap((shape) =>
    Array.from({ length: VARIANTS }, (_, variant) => ({
      workflowId: `calm-${shape}-${variant}`,
      shape,
      variant,
    })),
  );
  const state = { isOver: false };
  const people = Promise.all([answerRemote(replicas, state), answerPeople(replicas, look, state, () => 0)]);
  await startAll(replicas, look, runs, runs.length);
  for (let left = 1; left > 0;) {
    await delay(200);
    const [row] = await look.run<{ left: number }>(
      `SELECT count(*)::int AS left FROM workflow WHERE ended_at IS NULL`,
    );
    left = row?.left ?? 1;
  }
  state.isOver = true;
  await people;
  const outputs = await outputsOf(look, 'calm-%');
  const wanted = new Map<string, unknown>();
  for (const { workflowId, shape, variant } of runs) {
    const found = outputs.get(workflowId);
    if (found?.status !== 'COMPLETED')
      throw new Error(`${workflowId} ended ${found?.status} without any disturbance`);
    wanted.set(`${shape}/${variant}`, found.output);
  }
  return wanted;
}

function draw(count: number, random: () => number): Run[] {
  return Array.from({ length: count }, (_, index) => {
    const any = SHAPES[Math.floor(random() * SHAPES.length)] ?? 'chain';
    // A wide fork is 100 tasks: one in twenty is enough work.
    const shape = any === 'wide' && random() < 0.6 ? 'fork' : any;
    return { workflowId: `run-${index}`, shape, variant: Math.floor(random() * VARIANTS) };
  });
}

/** Starts them all, as a client does that repeats what was not acknowledged; no more than `inFlight` at a time. */
async function startAll(
  replicas: Replicas,
  look: Watcher,
  runs: readonly Run[],
  inFlight: number,
): Promise<void> {
  for (let from = 0; from < runs.length;) {
    const [row] = await look.run<{ open: number }>(
      `SELECT count(*)::int AS open FROM workflow WHERE ended_at IS NULL AND depth = 0`,
    );
    const room = Math.max(0, inFlight - (row?.open ?? 0));
    const next = runs.slice(from, from + Math.min(room, 50));
    await Promise.all(
      next.map(({ workflowId, shape, variant }) =>
        replicas.untilDone({
          kind: 'start',
          request: { name: nameOf(shape), version: 1, workflowId, input: inputOf(shape, variant) },
        }),
      ),
    );
    from += next.length;
    if (next.length === 0) await delay(100);
  }
}

/** A worker outside that never answers the first attempts that it is told to drop. */
async function answerRemote(replicas: Replicas, state: { readonly isOver: boolean }): Promise<void> {
  while (!state.isOver) {
    const tasks = await replicas.poll(REMOTE, 50);
    await Promise.all(
      tasks
        .filter(({ retryCount, inputData }) => retryCount >= Number(inputData['dropped']))
        .map(({ taskId, workflowInstanceId, inputData }) =>
          replicas.untilDone({
            kind: 'update',
            result: {
              taskId,
              workflowInstanceId,
              status: 'COMPLETED',
              outputData: resultOf(inputData) as never,
            },
          }),
        ),
    );
  }
}

/** People who answer what is asked of them, in any order and some of them twice. */
async function answerPeople(
  replicas: Replicas,
  look: Watcher,
  state: { readonly isOver: boolean },
  random: () => number,
): Promise<void> {
  while (!state.isOver) {
    const open = await look.run<{ id: string; workflow_id: string; n: string }>(
      `SELECT id, workflow_id, input->>'n' AS n FROM task
       WHERE task_type = 'HUMAN' AND ended_at IS NULL ORDER BY md5(id || $1) LIMIT 40`,
      [String(random())],
    );
    await Promise.all(
      open.flatMap(({ id: taskId, workflow_id: workflowInstanceId, n }) => {
        const result = {
          taskId,
          workflowInstanceId,
          status: 'COMPLETED',
          outputData: { answer: `yes to ${n}` },
        } as const;
        const times = random() < 0.2 ? 2 : 1;
        return Array.from({ length: times }, () => replicas.untilDone({ kind: 'update', result }));
      }),
    );
    await delay(300);
  }
}

interface Postgres {
  readonly pid: number;
}

/** Kills, restarts and cuts, spread over the run. */
async function disturb(
  replicas: Replicas,
  proxy: TcpProxy,
  postgres: Postgres,
  { killsEach, restarts }: { readonly killsEach: number; readonly restarts: number },
  random: () => number,
  progress: () => Promise<number>,
): Promise<{ kills: number; restarts: number; cuts: number }> {
  const done = { kills: 0, restarts: 0, cuts: 0 };
  let cutAt = performance.now();
  const kills = killsEach * REPLICAS;
  while (done.kills < kills || done.restarts < restarts) {
    await delay(200 + random() * 300);
    // Spread over the first nine tenths; when the work goes faster than the disturbance, the work waits for nobody.
    const share = Math.min(1, (await progress()) / 0.9);
    if (done.kills < kills && done.kills <= share * kills) {
      await replicas.kill(done.kills % REPLICAS, random() * 400);
      done.kills += 1;
    }
    if (done.restarts < restarts && done.restarts + 0.5 <= share * restarts) {
      process.kill(postgres.pid, 'SIGQUIT');
      done.restarts += 1;
    }
    if (performance.now() - cutAt > CUT_EVERY_MS) {
      proxy.cut();
      cutAt = performance.now();
      done.cuts += 1;
    }
  }
  return done;
}

async function allEnded(look: Watcher, count: number, deadline: number): Promise<boolean> {
  while (performance.now() < deadline) {
    const [row] = await look.run<{ open: number }>(
      `SELECT count(*)::int AS open FROM workflow WHERE ended_at IS NULL`,
    );
    if (row?.open === 0 && (await look.progress(count)) === 1) return true;
    await delay(500);
  }
  return false;
}

async function outputsOf(
  look: Watcher,
  like: string,
): Promise<ReadonlyMap<string, { readonly status: string; readonly output: unknown }>> {
  const rows = await look.run<{ id: string; status: string; output: unknown }>(
    `SELECT w.id, w.status, p.output FROM workflow w JOIN workflow_payload p ON p.workflow_id = w.id WHERE w.id LIKE $1`,
    [like],
  );
  return new Map(rows.map(({ id, status, output }) => [id, { status, output }]));
}

async function compare(
  look: Watcher,
  runs: readonly Run[],
  wanted: ReadonlyMap<string, unknown>,
): Promise<string[]> {
  const outputs = await outputsOf(look, 'run-%');
  return runs.flatMap(({ workflowId, shape, variant }) => {
    const found = outputs.get(workflowId);
    if (found === undefined) return [`${workflowId} was acknowledged and is gone`];
    const right = wanted.get(`${shape}/${variant}`);
    if (found.status === 'COMPLETED' && isDeepStrictEqual(found.output, right)) return [];
    return [`${workflowId} (${shape}/${variant}) ended ${found.status} with ${JSON.stringify(found.output)}`];
  });
}

// The definitions are registered by the replicas; this fails early when one of them cannot be.
if (DEFINITIONS.length !== SHAPES.length) throw new Error('a shape without a definition');
