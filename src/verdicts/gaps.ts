/*
 * What a scan did not look at, in words and as far as it matters. Pure, because the pages show the same as mails do.
 */

/** Why a part was not looked at, as `NotCovered` of the ledger names it. */
const WORDS: Readonly<Record<string, string>> = {
  encrypted: 'it is encrypted',
  limit: 'a limit of the scan was reached',
  unsupported: 'its format cannot be unpacked here',
  timeout: 'the scan took too long',
  corrupt: 'it is damaged',
  engine_missing: 'no malware engine with signatures was there',
  database_unknown: 'nobody knows how old the signatures of the malware engine are',
  engine_error: 'an engine failed',
  rule_disabled: 'a rule took too long and was switched off',
};

/** The reason of a gap as half a sentence; not yet made visible where it is a stranger's. */
export const gapWords = (reason: string): string => WORDS[reason] ?? reason.replaceAll('_', ' ');

/** What only an engine for malware says of itself. */
const OF_MALWARE_ENGINES = ['engine_missing', 'database_unknown'];

interface Gap {
  readonly reason: string;
}

/** A verdict with what was not looked at. */
export interface Judged<G extends Gap> {
  readonly verdict: string;
  /** Null where nobody knows which ones that were: then every gap is one. */
  readonly required: readonly string[] | null;
  readonly notCovered: readonly G[];
}

/** Malware was not required, and no engine looked for it. */
export const isMalwareLeftOut = ({ required, notCovered }: Judged<Gap>): boolean =>
  required !== null &&
  required.length > 0 &&
  !required.includes('malware') &&
  notCovered.some(({ reason }) => OF_MALWARE_ENGINES.includes(reason));

/** What is a lack: a part that an engine which the bucket requires was to look at; each once, whichever engines say so. */
export function gapsOf<G extends Gap>(judged: Judged<G>): readonly G[] {
  // Whatever is called clean was looked at whole by each engine that its bucket requires.
  if (judged.verdict.startsWith('clean')) return [];
  const lacks = isMalwareLeftOut(judged)
    ? judged.notCovered.filter(({ reason }) => !OF_MALWARE_ENGINES.includes(reason))
    : judged.notCovered;
  return [...new Map(lacks.map((gap) => [JSON.stringify(gap), gap])).values()];
}
