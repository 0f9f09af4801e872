import type { Finding } from '../../verdicts/ledger.js';

/** Whether one path is of something inside the other's; the object itself has the empty path. */
const isInside = (inner: string, outer: string): boolean =>
  outer === '' ? inner !== '' : inner.startsWith(`${outer}!`);

// One that is more certain or graver outside is not the same: nothing that makes the verdict may get lost.
const identityOf = ({ ruleId, fingerprint, confidence, severity }: Finding): string =>
  JSON.stringify([ruleId, fingerprint, confidence, severity]);

/**
 * Adds findings of one path to others. What is stored in a container as it is stands in the container's own bytes too, and is
 * found in both: one finding, where it is deepest inside.
 */
export function withInnermost(
  known: readonly Finding[],
  more: readonly Finding[],
  path: string,
): { readonly findings: readonly Finding[]; readonly dropped: readonly Finding[] } {
  const added = new Set(more.map(identityOf));
  const deeper = new Set<string>();
  const outer = new Set<Finding>();
  for (const finding of known) {
    // Most stand beside it; what they are is dear to tell, and an archive may have very many.
    const isDeeper = isInside(finding.path, path);
    if (!isDeeper && !isInside(path, finding.path)) continue;
    const identity = identityOf(finding);
    if (!added.has(identity)) continue;
    if (isDeeper) deeper.add(identity);
    else outer.add(finding);
  }
  const isDropped = (finding: Finding): boolean => outer.has(finding) || deeper.has(identityOf(finding));
  const dropped = [...outer, ...more.filter(isDropped)];
  if (dropped.length === 0) return { findings: [...known, ...more], dropped };
  return {
    findings: [...known.filter((finding) => !outer.has(finding)), ...more.filter((it) => !isDropped(it))],
    dropped,
  };
}
