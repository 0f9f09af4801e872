/** A rule says which uploads start which workflow. Every condition that is absent holds. */
export interface TriggerRule {
  readonly name: string;
  readonly effect: 'allow' | 'deny';
  /** Exact, or with `*` at the end for any bucket that begins so. */
  readonly bucket?: string | undefined;
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
  /** Inclusive bounds. */
  readonly minSizeBytes?: number | undefined;
  readonly maxSizeBytes?: number | undefined;
  readonly eventKinds: readonly string[];
  readonly workflowName: string;
  /** 0..99, higher first. */
  readonly priority: number;
}

/** What the rules are asked about. */
export interface Upload {
  readonly bucket: string;
  readonly key: string;
  /** Unknown for sources that do not tell. */
  readonly sizeBytes?: number | undefined;
  readonly kind: string;
}

export type Match =
  | {
      readonly kind: 'start';
      readonly rule: string;
      readonly workflowName: string;
      readonly priority: number;
    }
  /** `rule` is the denying rule's name, or `no_rule_matched`. */
  | { readonly kind: 'skip'; readonly rule: string };

/**
 * Which workflow an upload starts. A denying rule wins over every allowing one; among those the first in the order
 * given wins. In doubt an upload is scanned: an unknown size satisfies no denying bound and every allowing one.
 */
export function matchRules(rules: readonly TriggerRule[], upload: Upload): Match {
  const denied = rules.find((rule) => rule.effect === 'deny' && holds(rule, upload));
  if (denied !== undefined) return { kind: 'skip', rule: denied.name };
  const allowed = rules.find((rule) => rule.effect === 'allow' && holds(rule, upload));
  if (allowed === undefined) return { kind: 'skip', rule: 'no_rule_matched' };
  const { name, workflowName, priority } = allowed;
  return { kind: 'start', rule: name, workflowName, priority };
}

const holds = (rule: TriggerRule, upload: Upload): boolean =>
  rule.eventKinds.includes(upload.kind) &&
  bucketHolds(rule.bucket, upload.bucket) &&
  (rule.prefix === undefined || upload.key.startsWith(rule.prefix)) &&
  (rule.suffix === undefined || upload.key.endsWith(rule.suffix)) &&
  sizeHolds(rule, upload.sizeBytes);

function bucketHolds(pattern: string | undefined, bucket: string): boolean {
  if (pattern === undefined) return true;
  return pattern.endsWith('*') ? bucket.startsWith(pattern.slice(0, -1)) : bucket === pattern;
}

function sizeHolds(rule: TriggerRule, sizeBytes: number | undefined): boolean {
  const { minSizeBytes, maxSizeBytes } = rule;
  if (minSizeBytes === undefined && maxSizeBytes === undefined) return true;
  if (sizeBytes === undefined) return rule.effect === 'allow';
  return sizeBytes >= (minSizeBytes ?? 0) && sizeBytes <= (maxSizeBytes ?? Number.MAX_SAFE_INTEGER);
}
