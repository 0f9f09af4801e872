import type { Verified } from '../../../verdicts/ledger.js';
import type { VerifySpec } from '../secrets/rules/schema.js';

/** What a provider's answer says of a secret. Whatever is not foreseen says nothing. */
export function judgeProvider(
  spec: Pick<VerifySpec, 'active' | 'inactive' | 'activeIf' | 'inactiveIf'>,
  status: number,
  body: string,
): Verified['state'] {
  if (spec.inactive.includes(status) && fits(spec.inactiveIf, body)) return 'inactive';
  if (spec.active.includes(status) && fits(spec.activeIf, body)) return 'active';
  return 'unknown';
}

function fits(wanted: VerifySpec['activeIf'], body: string): boolean {
  if (wanted === undefined) return true;
  const answer = objectIn(body);
  if (answer === undefined) return false;
  return Object.entries(wanted).every(([field, values]) =>
    values.some((value) => value === answer.get(field)),
  );
}

function objectIn(body: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? new Map(Object.entries(parsed)) : undefined;
  } catch {
    // Some page in between: it says nothing of the secret.
    return undefined;
  }
}
