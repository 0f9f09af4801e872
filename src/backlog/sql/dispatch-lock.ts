import type { Queryable } from '../../database/queryable.js';

// Any constant works as long as every process uses the same one.
const DISPATCHER_LOCK = 7_205_001_002;

/** Takes the dispatcher's turn to the end of the transaction. @returns false when another node has it. */
export async function lockDispatch(tx: Queryable): Promise<boolean> {
  const [lock] = await tx.query<{ held: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS held', [
    DISPATCHER_LOCK,
  ]);
  return lock?.held === true;
}

/** Resolves when no dispatcher is starting anything that it chose before; rejects when that takes longer. */
export async function awaitDispatch(tx: Queryable, patienceMs: number): Promise<void> {
  await tx.query(`SELECT set_config('lock_timeout', $1, true)`, [`${patienceMs}ms`]);
  await tx.query('SELECT pg_advisory_xact_lock($1)', [DISPATCHER_LOCK]);
}
