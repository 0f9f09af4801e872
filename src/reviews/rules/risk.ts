import type { Subject } from './subject.js';

/** How grave a verdict is by itself, of 100. What is not named has {@link OTHER_RISK}. */
export const VERDICT_RISK = {
  infected: 85,
  secrets: 60,
  suspicious: 50,
  encrypted: 30,
  incomplete: 30,
  unsupported: 20,
} as const;
export const OTHER_RISK = 10;

const SEVERITY = { critical: 80, high: 65, medium: 45, low: 25 } as const;
const DOUBT = { high: 0, medium: 10, low: 20 } as const;
const IN_USE = 15;

/** How grave it would be if what was found is so: 0 to 100, for the order in which people look. */
export function riskOf({ verdict = '', findings }: Pick<Subject, 'verdict' | 'findings'>): number {
  const base = verdictRisk(verdict);
  const counted = findings.filter(({ accepted }) => accepted === undefined);
  const found = counted.map(
    ({ severity, confidence, verified }) =>
      SEVERITY[severity] -
      DOUBT[confidence] +
      // The provider says that the secret works.
      (verified?.state === 'active' ? IN_USE : 0),
  );
  // A secret is as grave as the worst of them; what is infected is grave whatever the rule says.
  const worst = Math.max(0, ...found);
  const risk = verdict === 'secrets' && counted.length > 0 ? worst : Math.max(base, worst);
  return Math.min(100, risk);
}

export const verdictRisk = (verdict: string): number =>
  Object.hasOwn(VERDICT_RISK, verdict) ? VERDICT_RISK[verdict as keyof typeof VERDICT_RISK] : OTHER_RISK;
