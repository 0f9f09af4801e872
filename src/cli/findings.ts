import { visible } from '../outbound/safe-text.js';

/** One finding, as the service tells it. */
export interface Finding {
  readonly severity: string;
  readonly confidence: string;
  readonly ruleId: string;
  readonly title: string;
  readonly path: string;
  readonly line?: number | null;
  readonly excerpt?: string | null;
  /** The baseline has it: it made no verdict. */
  readonly accepted?: boolean | string;
  readonly acceptedReason?: string | null;
  /** What its provider said of it. */
  readonly verified?: 'active' | 'inactive' | 'unknown' | null;
}

/** Certain are those of confidence high: they alone make an object guilty. */
export interface FindingCounts {
  readonly certain: number;
  readonly uncertain: number;
  /** The baseline has them: in neither of the others. */
  readonly accepted: number;
}

// What the service counts at most for each object of a list.
const COUNTED = 100;

/** `2 certain, 1 uncertain`; nothing where there are none. */
export function countsOf({ certain, uncertain, accepted }: FindingCounts): string {
  const parts = [
    ...(certain === 0 ? [] : [`${certain} certain`]),
    ...(uncertain === 0 ? [] : [`${uncertain} uncertain`]),
    ...(accepted === 0 ? [] : [`${accepted} accepted`]),
  ];
  return parts.join(', ') + (certain + uncertain + accepted >= COUNTED ? ' or more' : '');
}

/** A confidence in the words that people read everywhere; web/src/parts/Findings.tsx has the same. */
const SURENESS: Readonly<Record<string, string>> = { high: 'certain', medium: 'likely', low: 'possible' };

export const surenessOf = (confidence: string): string => SURENESS[confidence] ?? confidence;

/** `critical  certain  aws-access-token  AWS access key id  config.ini:3  AKIA…` */
export function findingText(finding: Finding): string {
  const { severity, confidence, ruleId, title, path, line, excerpt } = finding;
  const sure = surenessOf(confidence);
  const place = `${path}${line === undefined || line === null ? '' : `:${line}`}`;
  const parts = [severity, sure, ruleId, title, place, excerpt ?? '', ...notesOn(finding)];
  return visible(parts.filter((part) => part !== '').join('  '), 800);
}

/** What is known of it beside what it is. */
function notesOn({ accepted, acceptedReason, verified }: Finding): string[] {
  // A review tells the reason alone.
  const reason = typeof accepted === 'string' ? accepted : (acceptedReason ?? '');
  return [
    ...(accepted === true || reason !== '' ? [`[accepted${reason === '' ? '' : `: ${reason}`}]`] : []),
    ...(verified === 'active' ? ['[in use]'] : []),
    ...(verified === 'inactive' ? ['[not in use any more]'] : []),
  ];
}
