export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}
export interface Report extends Counts {
  /** Files whose process ended before these tests of theirs did. */
  unfinished: { file: string; tests: string[] }[];
  failures: { file: string; test: string }[];
}
export function count(report: string): Report;
export function closingLine(counts: Counts): string;
