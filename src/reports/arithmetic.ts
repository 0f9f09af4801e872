import { VERDICTS, type Verdict } from '../verdicts/verdict.js';

/** Uploads of a period and what became of them; `gap` is 0 when every upload is accounted for. */
export interface Coverage {
  /** Counted from what intake accepted, not from the verdicts. */
  readonly uploaded: number;
  readonly byVerdict: Readonly<Record<Verdict, number>>;
  readonly accountedFor: number;
  readonly gap: number;
  readonly addsUp: boolean;
  /** Share of uploads that were looked at whole (clean, infected, secrets, suspicious), 0..1; 1 for an empty period. */
  readonly scannedShare: number;
}

const LOOKED_AT: readonly Verdict[] = ['clean', 'infected', 'secrets', 'suspicious'];

/** uploaded = sum of the verdicts, checked from two independent counts. */
export function coverageOf(uploaded: number, counts: Readonly<Partial<Record<Verdict, number>>>): Coverage {
  const byVerdict = Object.fromEntries(VERDICTS.map((verdict) => [verdict, counts[verdict] ?? 0])) as Record<
    Verdict,
    number
  >;
  const accountedFor = VERDICTS.reduce((sum, verdict) => sum + byVerdict[verdict], 0);
  const lookedAt = LOOKED_AT.reduce((sum, verdict) => sum + byVerdict[verdict], 0);
  const gap = uploaded - accountedFor;
  return {
    uploaded,
    byVerdict,
    accountedFor,
    gap,
    addsUp: gap === 0,
    scannedShare: uploaded === 0 ? 1 : lookedAt / uploaded,
  };
}
