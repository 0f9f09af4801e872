import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quantile } from '../bench/engine/statistics.js';
import { Database } from '../src/database/database.js';
import { processFigures } from '../src/process/figures.js';
import { ServiceProcess } from '../test/support/service-process.js';
import { readOptions, report, SIZE_AND_SEED } from './proof.js';
import { CleanUp } from './scale/clean-up.js';
import { startCluster, type Scratch } from './scale/cluster.js';

/*
 * How long the figures of the process take with the executions of a busy year behind them, and of the busiest week, of which
 * one in so many is looked at.
 */

const SIZES = {
  small: { runs: 4_000, draws: 3, patience: 10 },
  full: { runs: 500_000, draws: 10, patience: 1 },
} as const;

const TASKS = 4;
const WEEK_MS = 7 * 86_400_000;
const WEEKS = 10;
const BAR_MS = 2_000;
// What they are of where few were started, and where many were.
const MANY_SHARE = 0.5;

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const size = SIZES[options.size];
  process.stdout.write(`process: ${size.runs} executions of ${TASKS} tasks, seed ${options.seed}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-process-'));
  chmodSync(folder, 0o711);
  const cleanUp = new CleanUp();
  cleanUp.add(() => rmSync(folder, { recursive: true, force: true }));
  const began = performance.now();
  try {
    const { parked: scratch } = await startCluster(folder, cleanUp);
    const settings = { DATABASE_URL: scratch.url, SALLYPORT_KEY: Buffer.alloc(32, 7).toString('base64') };
    const service = await ServiceProcess.on(join(folder, 'home'), settings);
    cleanUp.add(() => service.stop());
    // Makes the tables, and is not wanted any more.
    await service.start();
    await service.stop();
    const now = Date.now();
    await fill(scratch, size.runs, now);
    const db = new Database(scratch.url);
    cleanUp.add(() => db.close());
    const busy = await timed(db, now - WEEK_MS, now, size.draws);
    const usual = await timed(db, now - 3 * WEEK_MS, now - 2 * WEEK_MS, size.draws);
    const figures = {
      executions: size.runs,
      tasks: size.runs * TASKS,
      busyWeek: busy,
      usualWeek: usual,
      barMs: BAR_MS * size.patience,
    };
    const passed = [busy, usual].every((one) => one.p50Ms <= BAR_MS * size.patience && one.started > 0);
    report('process', options, (performance.now() - began) / 1000, figures, passed);
    return passed;
  } finally {
    await cleanUp.run();
  }
}

/** Half of them in the last week, the others spread over those before. */
async function fill(scratch: Scratch, runs: number, now: number): Promise<void> {
  const at = `CASE WHEN n % 100 < ${MANY_SHARE * 100} THEN $2::bigint - (random() * ${WEEK_MS})::bigint
    ELSE $2::bigint - ${WEEK_MS} - (random() * ${(WEEKS - 1) * WEEK_MS})::bigint END`;
  await scratch.query(
    `INSERT INTO workflow (id, name, version, status, revision, run_epoch, priority, created_at, updated_at, ended_at,
       task_count, open_task_count, failed_references)
     SELECT gen_random_uuid()::text, 'flow_' || n % 5, 1 + n % 2, CASE WHEN n % 50 = 0 THEN 'FAILED' ELSE 'COMPLETED' END,
            9, 0, 0, at, at, at + (random() * 600000)::bigint, ${TASKS}, 0, '{}'
       FROM (SELECT n, ${at} AS at FROM generate_series(1, $1::int) n) given`,
    [runs, now],
  );
  await scratch.query(
    `INSERT INTO task (id, workflow_id, changed_rev, seq, ref, task_type, task_def_name, status, retry_count, retried,
       executed, iteration, poll_count, scheduled_at, started_at, updated_at, ended_at, first_scheduled_at,
       callback_after_seconds, queued, due_at, due, priority, fair_tag, response_timeout_ms, execution_timeout_ms, input, output)
     SELECT w.id || ':' || n, w.id, n, n, 'step_' || n, CASE n WHEN 3 THEN 'HUMAN' ELSE 'scan_secrets' END, 'step',
            'COMPLETED', 0, false, true, 0, 1, w.created_at, w.created_at + 40, w.ended_at, w.ended_at, w.created_at,
            0, false, 0, false, 0, 0, 0, 0, json_build_object('scanId', w.id), json_build_object('found', repeat('x', 300))
       FROM workflow w, generate_series(1, ${TASKS}) n`,
  );
  await scratch.query('VACUUM (ANALYZE) workflow, task');
}

async function timed(db: Database, from: number, to: number, draws: number) {
  const times: number[] = [];
  let found = await processFigures(db, from, to, { now: to });
  for (let draw = 0; draw < draws; draw += 1) {
    const began = performance.now();
    found = await processFigures(db, from, to, { now: to });
    times.push(performance.now() - began);
  }
  return {
    started: found.started,
    oneIn: found.oneIn,
    p50Ms: Math.round(quantile(times, 0.5)),
    maxMs: Math.round(Math.max(...times)),
  };
}
