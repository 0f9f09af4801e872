import type { ReviewBalance } from '../reviews/reviews.queries.js';
import type {
  EngineUse,
  ReportedDecision,
  ReportedUpload,
  RuleFindings,
} from '../verdicts/verdicts.queries.js';
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
  readonly reviews: ReviewBalance;
  readonly findingsByRule: readonly RuleFindings[];
  readonly decisions: readonly ReportedDecision[];
  /** All decisions, also those beyond the rows listed. */
  readonly decisionsTotal: number;
  readonly notClean: readonly ReportedUpload[];
  readonly notCleanTotal: number;
  readonly engines: readonly EngineUse[];
}

/** Rows listed in full; the counts beside them say how many there are. */
export const LISTED_ROWS = 500;
