import type { ScanReport } from './ledger.js';

export const VERDICTS = [
  'pending',
  'clean',
  'clean (secrets)',
  'clean (malware)',
  'infected',
  'secrets',
  'suspicious',
  'encrypted',
  'incomplete',
  'unsupported',
  'archived',
  'denied',
  'gone',
  'superseded',
  'skipped',
  'failed',
] as const;

/**
 * What the ledger says of an object version. Only a full look makes it `clean`; where its bucket requires one kind of engine
 * alone, the verdict names that kind and is never the bare word.
 */
export type Verdict = (typeof VERDICTS)[number];

/** Every way of saying that all bytes were looked at and nothing was found. */
export const CLEAN_VERDICTS = [
  'clean',
  'clean (secrets)',
  'clean (malware)',
] as const satisfies readonly Verdict[];

/** The kinds of engines that a bucket may require before anything is called clean. */
export const REQUIRED_ENGINES = ['secrets', 'malware'] as const;
export type RequiredEngine = (typeof REQUIRED_ENGINES)[number];

/** The verdict on an object in which engines of these kinds looked at everything and found nothing. */
export function cleanFor(required: readonly RequiredEngine[]): (typeof CLEAN_VERDICTS)[number] {
  if (!required.includes('malware')) return 'clean (secrets)';
  return required.includes('secrets') ? 'clean' : 'clean (malware)';
}

export interface VerdictInput {
  /** None named is all of them. */
  readonly required: readonly RequiredEngine[];
  readonly reports: readonly ScanReport[];
  /** Of scanners outside that the workflow asks: required, because somebody wrote them into it. */
  readonly others?: readonly ScanReport[] | undefined;
}

export interface VerdictResult {
  readonly verdict: Verdict;
  readonly reason: string;
  /** The object is `incomplete` only because an engine or its database is missing; DEGRADED_POLICY decides what follows. */
  readonly degradedOnly: boolean;
  /** What the workflow does next is as for this verdict, of all that nobody answers for. */
  readonly asIf?: Verdict | undefined;
}

const PRECEDENCE_OF_GAPS = [
  ['encrypted', 'encrypted', 'encrypted_content'],
  ['limit', 'incomplete', 'limit_reached'],
  ['timeout', 'incomplete', 'scan_timeout'],
  ['engine_error', 'incomplete', 'engine_error'],
  ['rule_disabled', 'incomplete', 'rule_disabled'],
  ['corrupt', 'incomplete', 'corrupt_content'],
  ['engine_missing', 'incomplete', 'malware_engine_missing'],
  ['database_unknown', 'incomplete', 'malware_database_unknown'],
  ['unsupported', 'unsupported', 'unsupported_content'],
] as const;

const DEGRADED: readonly string[] = ['engine_missing', 'database_unknown'];

/**
 * One verdict from what the scanners reported. Precedence: infected > secrets > suspicious > encrypted > incomplete >
 * unsupported > clean. A required scanner that did not report, or did not cover every byte, forbids `clean`. What any
 * scanner found counts; what it did not look at counts where the bucket requires it.
 *
 * What somebody answers for makes nobody decide again, and never malware `clean`: the verdict goes on naming it.
 */
export function judge(input: VerdictInput): VerdictResult {
  const rest = judgeUncovered(input);
  const accepted = [...input.reports, ...(input.others ?? [])].flatMap(({ counts }) => counts.accepted ?? []);
  const known = (['infected', 'suspicious'] as const).find((kind) =>
    accepted.some((count) => count[kind] > 0),
  );
  if (known !== undefined) {
    if (rest.verdict === 'infected' || (known === 'suspicious' && rest.verdict === 'secrets')) return rest;
    return isClean(rest.verdict)
      ? { verdict: known, reason: ACCEPTED_MALWARE, degradedOnly: false, asIf: rest.verdict }
      : { ...rest, verdict: known, asIf: rest.verdict };
  }
  const isKnown = accepted.some(({ secrets }) => secrets > 0);
  return isKnown && isClean(rest.verdict) ? { ...rest, reason: ACCEPTED_SECRETS } : rest;
}

/** Somebody answers for all malware that was found; the verdict names it all the same. */
export const ACCEPTED_MALWARE = 'malware_accepted';
/** Secrets were found, and somebody answers for all of them. */
export const ACCEPTED_SECRETS = 'findings_accepted';

const isClean = (verdict: Verdict): boolean => CLEAN_VERDICTS.some((clean) => clean === verdict);

/** The verdict on what nobody answers for. */
function judgeUncovered({ required: named, reports, others = [] }: VerdictInput): VerdictResult {
  const required = named.length === 0 ? REQUIRED_ENGINES : named;
  const all = [...reports, ...others];
  const has = (count: 'infected' | 'secrets' | 'suspicious') =>
    all.some((report) => report.counts[count] > 0);
  if (has('infected')) return found('infected', 'malware_found');
  if (has('secrets')) return found('secrets', 'secrets_found');
  if (has('suspicious')) return found('suspicious', 'suspicious_content');

  const counting = [...reports.filter(({ kind }) => required.includes(kind)), ...others];
  const gaps = counting.flatMap((report) => report.notCovered);
  const gap = PRECEDENCE_OF_GAPS.find(([reason]) => gaps.some((entry) => entry.reason === reason));
  const missing = required.find((kind) => !reports.some((report) => report.kind === kind));
  const short = counting.find((report) => report.bytesScanned < report.bytesTotal);

  if (gap?.[1] === 'encrypted') return found('encrypted', gap[2]);
  if (missing !== undefined) return found('incomplete', `${missing}_scan_missing`);
  const degradedOnly =
    gap !== undefined && gaps.every((entry) => DEGRADED.includes(entry.reason)) && short === undefined;
  if (gap?.[1] === 'incomplete') return { verdict: 'incomplete', reason: gap[2], degradedOnly };
  if (short !== undefined) return found('incomplete', 'bytes_not_scanned');
  if (gap !== undefined) return found('unsupported', gap[2]);
  return found(cleanFor(required), '');
}

const found = (verdict: Verdict, reason: string): VerdictResult => ({ verdict, reason, degradedOnly: false });
