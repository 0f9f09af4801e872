/** Why we ourselves skip an object; every other reason for it is the name of the rule that did. */
const OWN_SKIPS: ReadonlySet<string> = new Set([
  'released_by_review',
  'quarantined_copy',
  'own_write',
  'no_rule_matched',
  'backfill_cancelled',
  'cancelled_by_operator',
]);

/** The rule that skipped an object; undefined where none did. */
export const skippedBy = (verdict: string | null | undefined, reason: string): string | undefined =>
  verdict === 'skipped' && reason !== '' && !OWN_SKIPS.has(reason) ? reason : undefined;

/** The reason of a verdict for people: a code as words, the name of a rule as it is. */
export function reasonWords(verdict: string | null | undefined, reason: string): string {
  const rule = skippedBy(verdict, reason);
  return rule === undefined ? reason.replaceAll('_', ' ') : `rule ${rule}`;
}
