import type { Spread } from '../../../src/reports/data/parts.js';
import type { RegisteredDecision } from '../../../src/reports/data/people.js';
import type { ReportData, ReportMeta } from '../../../src/reports/data/report-data.js';
import { VERDICTS, type Verdict } from '../../../src/verdicts/verdict.js';

/*
 * Reports for whoever draws, signs or reads them: an ordinary week, one in which nothing happened, one in which very much
 * did, and one in which every text of a stranger is hostile. Each is new, so that a test may change it.
 */

export const reportMeta: ReportMeta = {
  generatedAt: '2026-11-30T02:00:00.000Z',
  requestedBy: 'system:reports',
  url: 'https://sallyport.example',
};

export const at = (day: number, hour = 9, minute = 0): string =>
  new Date(Date.UTC(2026, 10, 23 + day, hour, minute)).toISOString();
export const id = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
export const digest = (number: number): string => String(number % 10).repeat(64);
export const noSpread: Spread = { count: 0, p50Ms: null, p90Ms: null, p95Ms: null, maxMs: null };
export const spread = (count: number, p50Ms: number): Spread => ({
  count,
  p50Ms,
  p90Ms: p50Ms * 4,
  p95Ms: p50Ms * 7,
  maxMs: p50Ms * 30,
});
export const verdicts = (counts: Partial<Record<Verdict, number>>): Record<Verdict, number> =>
  Object.fromEntries(VERDICTS.map((verdict) => [verdict, counts[verdict] ?? 0])) as Record<Verdict, number>;
export const none = (file: string) => ({ total: 0, file, rows: [] });

export function ageing(counts: readonly number[]): ReportData['people']['ageing'] {
  const bounds = [0, 1, 3, 7, 14, 30];
  return bounds.map((fromDays, index) => ({
    fromDays,
    toDays: bounds[index + 1] ?? null,
    count: counts[index] ?? 0,
  }));
}

export const decision = (number: number): RegisteredDecision => ({
  reviewId: id(1000 + number),
  title: 'Release an upload with a secret?',
  task: 'scan_upload / review',
  queue: 'security',
  object: `uploads/reports/2026/file-${number}.txt`,
  subjectDigest: digest(number),
  sha256: digest(number + 1),
  requester: 'Alice Example',
  votes: [
    {
      by: 'Bob Example',
      byId: id(2),
      onBehalfOf: number % 7 === 0 ? 'Carol Example' : null,
      outcome: 'release',
      reason: 'A test key that is long revoked.',
      via: 'web',
      method: 'session',
      at: at(number % 7, 10),
      isOverride: false,
      isWithdrawn: false,
    },
  ],
  outcome: number % 3 === 0 ? 'keep_quarantined' : 'release',
  decidedBy: 'Bob Example',
  decidedAt: at(number % 7, 10),
  via: 'web',
  method: 'session',
  reason: 'A test key that is long revoked.',
  quorum: { required: 1, reached: 1 },
  elapsedMs: 3_600_000 + number * 1000,
  definition: 'scan_upload, version 7',
  failed: [],
  isSampled: number < 25,
});
