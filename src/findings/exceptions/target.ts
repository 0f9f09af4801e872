import { InvalidInput } from '../../errors.js';
import type { ExceptionScope, Target } from './exception.js';
import type { KnownFinding } from './sql/known-finding.js';

/** What somebody wants an exception for: a finding, or all that a rule finds somewhere. */
export interface Wanted {
  readonly scope: ExceptionScope;
  readonly findingId?: string | undefined;
  /** Of a rule: the bucket of the finding, and all keys of it, when absent. */
  readonly ruleId?: string | undefined;
  readonly findingKind?: 'secret' | 'malware' | undefined;
  readonly bucket?: string | undefined;
  readonly keyPrefix?: string | undefined;
}

/** What that is. @throws InvalidInput naming the field where it cannot be. Pure. */
export function targetOf(wanted: Wanted, finding: KnownFinding | undefined): Target {
  const { scope } = wanted;
  if (finding !== undefined && finding.source !== '')
    throw InvalidInput.field(
      'findingId',
      `was found by the scanner ${finding.source}: say there that it is no danger`,
    );
  if (scope === 'rule') return ruleTarget(wanted, finding);
  if (finding === undefined) throw InvalidInput.field('findingId', 'is needed, but for the scope rule');
  for (const field of ['ruleId', 'bucket', 'keyPrefix'] as const)
    if (wanted[field] !== undefined)
      throw InvalidInput.field(field, 'is for the scope rule alone; the finding says it');
  const { kind: findingKind, ruleId, fingerprint } = finding;
  if (scope === 'secret') {
    if (findingKind === 'malware')
      throw InvalidInput.field(
        'scope',
        'cannot be secret for malware: a signature names no bytes. Choose finding, or rule in a bucket',
      );
    return { scope, findingKind, ruleId, fingerprint };
  }
  if (findingKind === 'malware' && finding.sha256 === null)
    throw InvalidInput.field('findingId', 'is of bytes that were not read to their end; nothing names them');
  return {
    scope,
    findingKind,
    ruleId,
    fingerprint,
    endpointId: finding.endpointId,
    bucket: finding.bucket,
    key: finding.key,
    memberPath: finding.path,
    sha256: finding.sha256 ?? undefined,
  };
}

function ruleTarget(wanted: Wanted, finding: KnownFinding | undefined): Target {
  const ruleId = wanted.ruleId ?? finding?.ruleId;
  const bucket = wanted.bucket ?? finding?.bucket;
  const findingKind = wanted.findingKind ?? finding?.kind;
  if (ruleId === undefined) throw InvalidInput.field('ruleId', 'is needed, or a finding of the rule');
  if (bucket === undefined) throw InvalidInput.field('bucket', 'is needed: no rule is left out everywhere');
  if (findingKind === undefined)
    throw InvalidInput.field('findingKind', 'is needed, secret or malware, or a finding of the rule');
  const keyPrefix = wanted.keyPrefix === '' ? undefined : wanted.keyPrefix;
  return { scope: 'rule', findingKind, ruleId, bucket, keyPrefix };
}
