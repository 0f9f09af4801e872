import type { Coverage } from './arithmetic.js';

/** Everything a report says; the JSON file is this, the HTML is drawn from it. Times are ISO 8601 in UTC. */
export interface ReportData {
  readonly schema: 'sallyport.report/1';
  readonly kind: 'weekly';
  readonly reportId: string;
  readonly period: {
    readonly label: string;
    readonly from: string;
    readonly to: string;
    readonly timeZone: string;
    readonly complete: boolean;
  };
  readonly generatedAt: string;
  readonly software: string;
  readonly coverage: Coverage;
  readonly reviews: {
    readonly opened: number;
    readonly decided: number;
    readonly openAtEnd: number;
    readonly oldestOpenSince: string | null;
  };
  readonly findingsByRule: readonly {
    readonly kind: string;
    readonly ruleId: string;
    readonly title: string;
    readonly severity: string;
    readonly count: number;
    readonly objects: number;
  }[];
  readonly decisions: readonly DecisionRow[];
  /** Decisions beyond the rows listed. */
  readonly decisionsTotal: number;
  readonly notClean: readonly NotCleanRow[];
  readonly notCleanTotal: number;
  readonly engines: readonly {
    readonly name: string;
    readonly version: string;
    readonly database: string | null;
    readonly verdicts: number;
  }[];
}

export interface DecisionRow {
  readonly reviewId: string;
  readonly object: string;
  readonly outcome: string;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

/** An upload that did not end as clean, with the reason; an auditor samples from these first. */
export interface NotCleanRow {
  readonly objectId: string;
  readonly object: string;
  readonly verdict: string;
  readonly reason: string;
  readonly uploadedAt: string;
  readonly decision: string | null;
  readonly action: string | null;
}

/** Rows listed in full; the counts beside them say how many there are. */
export const LISTED_ROWS = 500;
