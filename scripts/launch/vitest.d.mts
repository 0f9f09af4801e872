export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}
export function count(report: string): Counts;
export function closingLine(counts: Counts): string;
