import type { PolicyDocument, Statement } from '../connect/policy-document.js';

/** What a bucket's policy says about verdicts. Read from its words: a policy may say the same in others. */
export interface PolicyFacts {
  /** Reading is denied by the verdict's tag. */
  readonly hidesUnclean: boolean;
  /** The same for reading a named version. */
  readonly hidesUncleanVersions: boolean;
  /** An upload or a later tagging cannot carry the verdict's tag. */
  readonly keepsTag: boolean;
}

/** @param tagKey the tag that tells the verdict. Pure. */
export function policyFacts(policy: PolicyDocument, tagKey: string): PolicyFacts {
  const denials = policy.Statement.filter(({ Effect }) => Effect === 'Deny');
  const hides = (action: string) =>
    denials.some((one) => covers(one, action) && mentions(one, `s3:ExistingObjectTag/${tagKey}`));
  const keeps = (action: string, isWhole: boolean) =>
    denials.some((one) => covers(one, action) && (isWhole || mentions(one, 's3:RequestObjectTag')));
  return {
    hidesUnclean: hides('s3:GetObject'),
    hidesUncleanVersions: hides('s3:GetObjectVersion'),
    keepsTag: keeps('s3:PutObject', false) && keeps('s3:PutObjectTagging', true),
  };
}

function covers({ Action }: Statement, action: string): boolean {
  const patterns = Array.isArray(Action) ? (Action as unknown[]) : [Action];
  return patterns.some((pattern) => typeof pattern === 'string' && matches(pattern, action));
}

/** Actions are not case-sensitive, and `*` stands for anything. */
function matches(pattern: string, action: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i').test(action);
}

/** A condition on the key, or on one below it. */
const mentions = ({ Condition }: Statement, key: string): boolean =>
  Object.values((Condition ?? {}) as Record<string, unknown>).some(
    (keys) =>
      typeof keys === 'object' &&
      keys !== null &&
      Object.keys(keys).some((one) => one.toLowerCase().startsWith(key.toLowerCase())),
  );
