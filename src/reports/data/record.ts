import { z } from 'zod';
import { count, duration, listed, Spread, text, time } from './parts.js';

/** What people let stand. */
export const ReportedException = z
  .object({
    id: text,
    kind: text,
    scope: text,
    findingKind: text,
    ruleId: text,
    /** The object, or the bucket and prefix. */
    where: text.nullable(),
    owner: text,
    approver: text.nullable(),
    justification: text,
    state: text,
    createdAt: time,
    decidedAt: time.nullable(),
    expiresAt: time,
    endedAt: time.nullable(),
    /** Findings that it covered in scans of the period. */
    uses: count,
    /** new, expiring (within 14 days), expired, extended, withdrawn, refused: what of it falls into the period. */
    marks: z.array(text),
  })
  .meta({ id: 'ReportedException' });
export type ReportedException = z.infer<typeof ReportedException>;

export const Exceptions = z
  .object({
    inForce: count,
    new: count,
    expiring: count,
    expired: count,
    extended: count,
    register: listed(ReportedException),
  })
  .meta({ id: 'Exceptions' });
export type Exceptions = z.infer<typeof Exceptions>;

/** What was changed, from the audit record. */
export const Changes = z
  .object({
    byKind: z.array(z.object({ kind: text, count })),
    register: listed(
      z.object({ id: text, at: time, actor: text, action: text, subject: text, kind: text, what: text }),
    ),
    failedSignIns: count,
    /** Accounts and keys that were made, and rights that were given and taken. */
    accessChanges: count,
  })
  .meta({ id: 'Changes' });
export type Changes = z.infer<typeof Changes>;

/** How the service itself did. */
export const Health = z
  .object({
    notifications: z.array(z.object({ channel: text, sent: count, failed: count, waiting: count })),
    bounced: count,
    /** From upload to the start of its scan, of the scans begun in the period. */
    queueLag: Spread,
    deadLetters: z.object({ new: count, open: count }),
    rejectedEvents: count,
    lastBackupAt: time.nullable(),
    lastRestoreAt: time.nullable(),
    chain: z.object({
      id: text,
      /** Null where nobody verified it within the period or since. */
      isWhole: z.boolean().nullable(),
      verifiedAt: time.nullable(),
      /** Each verification since the period began that found it not whole, whoever made it. */
      doubts: z.array(z.object({ at: time, by: text, what: text })),
      /** The events of the period by their places in the chain; null where there are none. */
      from: count.nullable(),
      to: count.nullable(),
      /** Hash of the last of them, or of the last before. */
      head: text.nullable(),
      signedUpTo: count,
      anchoredUpTo: count,
    }),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;

/** The report before, and whether somebody read it. */
export const Previous = z
  .object({
    reportId: text,
    label: text,
    /** SHA-256 of its report.json. */
    sha256: text.nullable(),
    reading: z.enum(['signed', 'open', 'overdue', 'expired', 'none']),
    readBy: text.nullable(),
    readAt: time.nullable(),
    outcome: text.nullable(),
    comment: text.nullable(),
    /** How many people signed, of how many that must. */
    signatures: z.object({ required: count, reached: count }).nullable(),
  })
  .meta({ id: 'Previous' });
export type Previous = z.infer<typeof Previous>;

/** A figure of an earlier report that later facts changed. */
export const Restated = z
  .object({ reportId: text, label: text, figure: text, stated: z.number(), now: z.number() })
  .meta({ id: 'Restated' });
export type Restated = z.infer<typeof Restated>;

/** One step of a workflow's version in figures. */
export const ProcessStep = z
  .object({
    ref: text,
    type: text,
    completed: count,
    failed: count,
    queue: duration,
    run: duration,
    person: duration,
  })
  .meta({ id: 'ProcessStep' });
/** Executions that were started in the period, by workflow and version; as the first page and /api/v1/process/figures show them. */
export const Process = z
  .object({
    started: count,
    /** 1: all were looked at. Of n: one in so many, and the counts are of those. */
    oneIn: count,
    workflows: z.array(
      z.object({
        name: text,
        version: count,
        ended: count,
        completed: count,
        failed: count,
        open: count,
        completion: Spread,
        /** As the definition declares it; null where it does not. */
        slaMs: duration.nullable(),
        withinSla: count.nullable(),
        /** Of those that ended. */
        failureRate: z.number().nullable(),
        meanTimeBetweenFailuresMs: duration.nullable(),
        meanTimeToRecoveryMs: duration.nullable(),
        /** Sums over all steps. */
        queue: duration,
        run: duration,
        person: duration,
        /** The step that costs most time. */
        costliest: text.nullable(),
        steps: z.array(ProcessStep),
      }),
    ),
  })
  .meta({ id: 'Process' });
export type Process = z.infer<typeof Process>;
