import { z } from 'zod';
import { Control, Mapping } from './controls.js';
import { Coverage, Scanning } from './coverage.js';
import { Findings } from './findings.js';
import { text, time } from './parts.js';
import { Decisions, People } from './people.js';
import { Changes, Exceptions, Health, Previous, Process, Restated } from './record.js';

export const REPORT_KINDS = ['weekly', 'monthly', 'quarterly', 'range'] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

/**
 * Everything that a report says. `report.json` is this, the pages are drawn from it, and the same state of the record makes
 * the same bytes: when and by which process it was made stands in the manifest alone.
 */
export const ReportData = z
  .object({
    schema: z.literal('sallyport.report/2'),
    reportId: text,
    kind: z.enum(REPORT_KINDS),
    /** ORG_NAME; empty where nobody set it. */
    organisation: text,
    scope: z.object({
      buckets: z.array(z.object({ endpointId: text, bucket: text })),
      queues: z.array(text),
    }),
    /** [from, to). */
    period: z.object({
      label: text,
      from: time,
      to: time,
      timeZone: text,
      /** False: it was not over when the snapshot was taken, and the figures are those so far. */
      complete: z.boolean(),
    }),
    /** What the facts are as of: the end of the period, or the snapshot of a period that was not over. */
    asOf: time,
    software: text,
    coverage: Coverage,
    scanning: Scanning,
    findings: Findings,
    people: People,
    decisions: Decisions,
    controls: z.array(Control),
    exceptions: Exceptions,
    changes: Changes,
    health: Health,
    process: Process,
    previous: Previous.nullable(),
    restated: z.array(Restated),
    mapping: z.array(Mapping),
  })
  .meta({ id: 'Report' });
export type ReportData = z.infer<typeof ReportData>;

/** What is known of a report beside what it says. */
export interface ReportMeta {
  readonly generatedAt: string;
  /** Who asked for it. */
  readonly requestedBy: string;
  /** Where the service answers people. */
  readonly url: string;
}
