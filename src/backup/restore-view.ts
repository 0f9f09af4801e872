import { z } from 'zod';
import type { Restoration } from '../database/sql/restoration.js';
import { RUN_STATES } from '../intake/listing/run-answer.js';

const count = z.number();

const Quarantine = z.object({
  compared: count,
  counts: z.object({ back: count, gone: count, moved: count }),
  unknown: count,
  examples: z
    .array(
      z.object({
        difference: z.enum(['back', 'gone', 'moved', 'unknown']),
        bucket: z.string(),
        key: z.string(),
        detail: z.string().optional(),
      }),
    )
    .readonly(),
});

const Left = z.object({
  count,
  examples: z.array(z.object({ bucket: z.string(), key: z.string() })).readonly(),
});

const Anchors = z.object({
  count,
  last: z.object({ events: count, at: z.string() }).optional(),
});

/** What a comparison found, as it is kept; the listing of each bucket is a run of its own. */
export const Reconciliation = z.object({
  runs: z.array(z.uuid()),
  /** Buckets whose turn has not come. */
  waiting: count.default(0),
  quarantine: Quarantine.nullable(),
  left: Left.nullable(),
  anchors: Anchors.nullable(),
  error: z.string().nullable(),
});
export type Reconciliation = z.infer<typeof Reconciliation>;

const RunFacts = z.object({
  id: z.uuid(),
  bucket: z.string(),
  state: z.enum(RUN_STATES),
  listed: count,
  /** Uploads that the ledger does not know; they are scanned. */
  missing: count,
  /** In the ledger, and no longer in the bucket. */
  vanished: count,
  older: count,
});
export type RunFacts = z.infer<typeof RunFacts>;

/** The last restore of this database, and whether it is held. */
export const RestoreView = z
  .object({
    isHeld: z.boolean(),
    restoration: z
      .object({
        id: z.uuid(),
        backupId: z.uuid(),
        backupAt: z.iso.datetime(),
        restoredAt: z.iso.datetime(),
        /** The last event of the audit record that is also that of the former life. */
        forkedAfter: count,
        forkHead: z.string().nullable(),
        reconciliation: z
          .object({
            begunAt: z.iso.datetime(),
            isComplete: z.boolean(),
            error: z.string().nullable(),
            buckets: z.array(RunFacts),
            /** Buckets whose turn to be compared has not come. */
            waiting: count,
            quarantine: Quarantine.nullable(),
            /** Copies in quarantine that the ledger does not know. */
            left: Left.nullable(),
            /** Checkpoints in AUDIT_BUCKET of events that are not here; null without that bucket. */
            anchors: Anchors.nullable(),
          })
          .nullable(),
        releasedAt: z.iso.datetime().nullable(),
        releasedBy: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'RestoreState' });
export type RestoreView = z.infer<typeof RestoreView>;

export function restoreView(last: Restoration, runs: readonly RunFacts[]): RestoreView {
  const iso = (at: number): string => new Date(at).toISOString();
  const parsed = Reconciliation.safeParse(last.reconciliation);
  const { reconciledAt, releasedAt } = last;
  return {
    isHeld: releasedAt === undefined,
    restoration: {
      id: last.id,
      backupId: last.backupId,
      backupAt: iso(last.backupAt),
      restoredAt: iso(last.restoredAt),
      forkedAfter: last.forkSeq,
      forkHead: last.forkHead ?? null,
      reconciliation:
        reconciledAt === undefined || !parsed.success
          ? null
          : {
              begunAt: iso(reconciledAt),
              isComplete: isComplete(parsed.data, runs),
              error: parsed.data.error,
              buckets: [...runs],
              waiting: parsed.data.waiting,
              quarantine: parsed.data.quarantine,
              left: parsed.data.left,
              anchors: parsed.data.anchors,
            },
      releasedAt: releasedAt === undefined ? null : iso(releasedAt),
      releasedBy: last.releasedBy ?? null,
    },
  };
}

/** Every bucket was listed to its end, and S3 told of every move. */
const isComplete = (
  { runs: begun, waiting, quarantine }: Reconciliation,
  runs: readonly RunFacts[],
): boolean =>
  waiting === 0 &&
  quarantine?.unknown === 0 &&
  begun.every((id) => runs.some((run) => run.id === id && run.state === 'completed'));
