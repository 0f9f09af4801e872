import { z } from 'zod';
import { count, text } from './parts.js';

/**
 * What was found. One finding is one rule's secret or threat in one object version, however often it stands there. It is
 * open from the verdict that tells of it until a person decides on the object, an exception covers it, a later scan finds
 * it no more, or the object is gone.
 */
export const Findings = z
  .object({
    balance: z.object({
      opening: count,
      new: count,
      reopened: count,
      closed: count,
      closing: count,
      addsUp: z.boolean(),
    }),
    closedBy: z.object({ decided: count, excepted: count, rescanned: count, gone: count }),
    /** Open at the end of the period. */
    open: z.array(z.object({ severity: text, kind: text, endpointId: text, bucket: text, count })),
    /** Of the findings that are new in the period. */
    byRule: z.array(
      z.object({
        kind: text,
        ruleId: text,
        title: text,
        severity: text,
        findings: count,
        objects: count,
        /** Of the decisions of the period about objects with such a finding. */
        decided: count,
        /** Of these decisions: those that let the object go. */
        falsePositives: count,
      }),
    ),
    /** Where new ones came from more than once: the first part of the key in its bucket. */
    repeatSources: z.array(z.object({ source: text, findings: count, objects: count })),
    /** How often the same secret or threat stood in several places. */
    dedup: z.object({
      occurrences: count,
      distinct: count,
      /** There were too many to tell them apart one by one: about so many. */
      isEstimated: z.boolean(),
    }),
    /** The weeks before, as their reports said, oldest first, this one last. */
    trend: z.array(z.object({ label: text, new: count, closed: count, open: count })),
  })
  .meta({ id: 'Findings' });
export type Findings = z.infer<typeof Findings>;
