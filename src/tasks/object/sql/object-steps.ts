import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import { storableText } from '../../../verdicts/text.js';

/** What is done to an object in several steps, each of which may be the last before a crash. */
export type Move = 'quarantine' | 'release' | 'deletion';

/** One step that is done, or why it could not be. */
export interface ObjectStep {
  readonly scanId: string;
  readonly move: Move;
  readonly step: string;
  readonly note?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  readonly at: Instant;
}

const MAX_NOTE = 2000;

/** Writes a step down, in the transaction that records that it is done. */
export async function appendStep(tx: Queryable, step: ObjectStep): Promise<void> {
  await tx.query(
    `INSERT INTO object_step (scan_id, move, step, note, data, at) VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      step.scanId,
      step.move,
      step.step,
      step.note === undefined ? null : storableText(step.note, MAX_NOTE),
      step.data === undefined ? null : JSON.stringify(step.data),
      Math.round(step.at),
    ],
  );
}
