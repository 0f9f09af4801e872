import { randomUUID } from 'node:crypto';
import { v7 as uuid7 } from 'uuid';
import { taskIdOf } from '../../src/engine/decider/task-id.js';
import type { Scratch } from './cluster.js';
import { REFERENCE } from './definitions.js';
import { COPIED, copyStatements } from './rows-of.js';
import type { Template } from './templates.js';

/*
 * Copies of the rows of workflows that the engine started and parked: a million starts would take longer than all the
 * rest. A copy has ids of its own, made as the engine makes them, and all its times lie earlier by the same span, as if
 * it had been started then. Nothing else about it differs, and `checkClones` looks.
 */

const DAY_MS = 86_400_000;
// Old enough that what is forgotten of it is forgotten, and young enough that what it waits for is months away.
const BACK_MS = { from: 51 * DAY_MS, to: 31 * DAY_MS };
const PER_TRANSACTION = 10_000;
const SAY_EVERY_MS = 15_000;

/** Makes it `total` parked workflows, the templates included, half of each kind. */
export async function cloneTemplates(
  database: Scratch,
  templates: readonly Template[],
  total: number,
  say: (line: string) => void,
): Promise<void> {
  await database.query(`
    CREATE SCHEMA proof
    CREATE TABLE clone (
      n int, id text, task_id text, review_id uuid,
      template_id text, template_task_id text, template_review_id uuid, earlier_ms bigint
    )`);
  const copies = await copyStatements(database);
  const clones = total - templates.length;
  let saidAt = performance.now();
  for (let from = 0; from < clones; from += PER_TRANSACTION) {
    const count = Math.min(PER_TRANSACTION, clones - from);
    await database.transaction(async (query) => {
      await query(
        `INSERT INTO proof.clone SELECT * FROM unnest(
           $1::int[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::bigint[])`,
        columnsOf(templates, from, count, clones),
      );
      // Its statistics must not say that it is empty, or the copying loops over everything.
      if (from === 0) await query('ANALYZE proof.clone');
      for (const copy of copies) await query(copy, [from, from + count]);
      if (from === 0) await query('CREATE UNIQUE INDEX ON proof.clone (n)');
    });
    if (performance.now() - saidAt < SAY_EVERY_MS) continue;
    saidAt = performance.now();
    say(`${from + count} of ${clones} copied`);
  }
  // What autovacuum has done where the rows came one by one; its own turn would fall into the measurements.
  for (const table of COPIED) await database.query(`VACUUM (ANALYZE) ${table}`);
  await database.query('CHECKPOINT');
}

/** What is of its own of each clone, as arrays in the order of the table. */
function columnsOf(
  templates: readonly Template[],
  from: number,
  count: number,
  clones: number,
): readonly unknown[][] {
  const half = templates.length / 2;
  const rows = Array.from({ length: count }, (_, index) => {
    const n = from + index;
    // By turns one of each kind; all that wait stand before all that ask somebody.
    const template = templates[(n % 2) * half + (Math.floor(n / 2) % half)];
    if (template === undefined) throw new Error('there are no templates');
    const earlierMs = Math.round(BACK_MS.from + ((BACK_MS.to - BACK_MS.from) * n) / clones);
    const id = uuid7({ msecs: Date.now() - earlierMs });
    return [
      n,
      id,
      taskIdOf({ workflowId: id, runEpoch: 0 }, REFERENCE[template.kind], 0, 0),
      template.reviewId === undefined ? null : randomUUID(),
      template.id,
      template.taskId,
      template.reviewId,
      earlierMs,
    ];
  });
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]));
}
