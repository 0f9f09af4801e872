import { z } from 'zod';
import { VERDICTS } from '../../verdicts/verdict.js';
import { count, duration, listed, Spread, text, time } from './parts.js';

const counted = z.record(z.enum(VERDICTS), count);

/** Uploads of the period and the verdict that each had when it ended. */
export const Coverage = z
  .object({
    /** Counted from what intake accepted, not from the verdicts. */
    uploaded: count,
    bytes: count,
    /** Copies that a release wrote: no uploads, counted apart on both sides. */
    copies: z.object({ opened: count, accountedFor: count }),
    byVerdict: counted,
    accountedFor: count,
    gap: z.number().int(),
    addsUp: z.boolean(),
    groups: z.object({ clean: count, found: count, notWhole: count, notScanned: count, pending: count }),
    /** Each verdict but the clean ones by its reason, most first. */
    reasons: z.array(z.object({ verdict: text, reason: text, count })),
    /** opening + uploaded - settled = closing, over all uploads that ever were. */
    pending: z.object({
      opening: count,
      uploaded: count,
      settled: count,
      closing: count,
      addsUp: z.boolean(),
    }),
    /** From upload to the first verdict, of the verdicts first given in the period. */
    timeToVerdict: Spread,
    buckets: z.array(
      z.object({
        endpointId: text,
        bucket: text,
        uploaded: count,
        bytes: count,
        clean: count,
        found: count,
        notWhole: count,
        notScanned: count,
        pending: count,
      }),
    ),
    /** Each registered bucket, listed by itself and compared with the ledger. */
    inventory: z.array(
      z.object({
        endpointId: text,
        bucket: text,
        /** `compared`: to its end. Otherwise nothing is claimed of it, and `why` says the reason. */
        state: z.enum(['compared', 'failed', 'not_compared']),
        why: text.nullable(),
        listedAt: time.nullable(),
        /** Versions that the bucket dates into the period. */
        listed: count,
        /** Of these: in the ledger when they were listed. */
        known: count,
        /** Of these: no event told of them; found by the comparison, and scanned then. */
        missing: count,
        /** Of these: too young to be missed. */
        young: count,
        /** Of these: from before the bucket was watched. */
        older: count,
        /** In the whole bucket, of whatever time: with keys that cannot be kept. In none of the counts above. */
        unusable: count,
        /** In the ledger, and no longer in the bucket. */
        vanished: count,
        addsUp: z.boolean(),
      }),
    ),
    /** What the equations leave open: each is a question that somebody has to answer. */
    gaps: listed(z.object({ what: text, object: text, at: time.nullable(), note: text })),
    /** Uploads that are not clean, the worst first. */
    notClean: listed(
      z.object({
        objectId: text,
        object: text,
        verdict: text,
        reason: text,
        uploadedAt: time,
        sizeBytes: count.nullable(),
        decision: text.nullable(),
        action: text.nullable(),
      }),
    ),
    /** Rules and policies by which uploads were skipped. */
    skippedBy: z.array(z.object({ policy: text, count })),
  })
  .meta({ id: 'Coverage' });
export type Coverage = z.infer<typeof Coverage>;

/** An engine as it was when it looked, and behind how many verdicts it stands. */
export const EngineUse = z
  .object({ name: text, version: text, database: text.nullable(), verdicts: count })
  .meta({ id: 'EngineUse' });
export type EngineUse = z.infer<typeof EngineUse>;

/** How old the signatures were, and when scanning did not work. */
export const Scanning = z
  .object({
    engines: z.array(EngineUse),
    /** Of the verdicts of the period for which malware was looked for: the age of the signatures at that moment. */
    signatureAge: z.object({
      verdicts: count,
      unknown: count,
      p50Ms: duration.nullable(),
      maxMs: duration.nullable(),
      limitMs: duration,
      overLimit: count,
    }),
    /** Times in which a scan failed for want of its engine, from the first to the last such verdict. */
    outages: z.array(z.object({ engine: text, from: time, to: time, verdicts: count })),
  })
  .meta({ id: 'Scanning' });
export type Scanning = z.infer<typeof Scanning>;
