import type { JsonObject } from '../../engine/model/json.js';
import type { TaskOutcome } from '../../engine/ports.js';
import type { StorageGap } from '../storage-failure.js';
import type { Finding, NotCovered, ScanReport } from '../../verdicts/ledger.js';

const SHOWN_FINDINGS = 20;
// What an output may hold; the verdict needs each reason once.
const SHOWN_GAPS = 200;

/** A scan that reached its end. */
export function scanned(report: ScanReport, findings: readonly Finding[], total: number): TaskOutcome {
  return {
    kind: 'completed',
    output: plain({
      report: { ...report, notCovered: shortened(report.notCovered) },
      findings: findings.slice(0, SHOWN_FINDINGS),
      total,
    }),
  };
}

/** The object changed, vanished or was closed to us under way: there is no report. */
export function notScanned({ gap, reason, detail }: StorageGap): TaskOutcome {
  return { kind: 'completed', output: { report: null, gap, reason, detail, findings: [], total: 0 } };
}

/** At most so many, and of every reason at least one. */
function shortened(gaps: readonly NotCovered[]): readonly NotCovered[] {
  if (gaps.length <= SHOWN_GAPS) return gaps;
  const firsts = new Map(gaps.toReversed().map((gap) => [gap.reason, gap]));
  return [...firsts.values(), ...gaps.slice(0, SHOWN_GAPS)];
}

/** Without the properties that are undefined, as JSON would have it. */
const plain = (value: unknown): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;
