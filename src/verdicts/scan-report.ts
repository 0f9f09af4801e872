import { z } from 'zod';
import type { ScanReport } from './ledger.js';

const count = z.int().min(0);
const absent = <T extends z.ZodType>(schema: T) =>
  schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional();

/**
 * A scanner's report as a task delivers it. Strict where the verdict depends on it: a report that does not say what
 * was covered must fail, never pass as a full look.
 */
export const ScanReportShape = z.object({
  kind: z.enum(['secrets', 'malware']),
  engines: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      database: absent(z.string()),
      databaseDate: absent(z.string()),
    }),
  ),
  bytesScanned: count,
  bytesTotal: count,
  members: count,
  sha256: absent(z.string().max(128)),
  notCovered: z.array(
    z.object({
      path: z.string(),
      reason: z.enum([
        'encrypted',
        'limit',
        'unsupported',
        'timeout',
        'corrupt',
        'engine_missing',
        'database_unknown',
        'engine_error',
        'rule_disabled',
      ]),
      detail: absent(z.string()),
    }),
  ),
  counts: z.object({
    infected: count,
    secrets: count,
    suspicious: count,
    lowConfidence: count,
    accepted: absent(z.object({ infected: count, secrets: count, suspicious: count })),
  }),
}) satisfies z.ZodType<ScanReport>;

/** What both engines together looked at: a byte counts only when every one of them saw it. */
export function coverageOf(reports: readonly ScanReport[], sizeBytes: number) {
  const bytesTotal = Math.max(sizeBytes, ...reports.map((report) => report.bytesTotal), 0);
  return {
    engines: reports.flatMap((report) => report.engines),
    bytesScanned: reports.length === 0 ? 0 : Math.min(...reports.map((report) => report.bytesScanned)),
    bytesTotal,
    sha256: reports.find((report) => report.sha256 !== undefined)?.sha256,
    notCovered: reports.flatMap((report) => report.notCovered),
  };
}
