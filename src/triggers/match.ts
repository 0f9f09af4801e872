import { allowed, outcomeOf, type Outcome } from './match-conditions.js';
import type { InputMapping } from './match-input.js';
import { targetOf } from './match-share.js';
import type { JsonObject } from '../engine/model/json.js';

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
  /** One of these media types, told from the first bytes: `application/zip`, `image/*`. */
  readonly contentTypes?: readonly string[] | undefined;
  /** All of these tags. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /**
   * Whoever uploads an object sets its tags. Without this a tag chooses which workflow scans, never whether one does: a
   * denying rule with tags does not hold, and an allowing one still scans what nothing else allows.
   */
  readonly trustTags?: boolean | undefined;
  readonly workflowName: string;
  /** The newest at the start when absent. */
  readonly workflowVersion?: number | undefined;
  /** So many of a hundred objects go elsewhere: always the same ones. */
  readonly shares?: readonly Share[] | undefined;
  /** 0..99, higher first. */
  readonly priority: number;
  readonly input?: InputMapping | undefined;
}

export interface Target {
  readonly workflowName: string;
  readonly workflowVersion?: number | undefined;
}

export interface Share extends Target {
  readonly percent: number;
}

/** What the rules are asked about. */
export interface Upload {
  readonly bucket: string;
  readonly key: string;
  /** Unknown for sources that do not tell. */
  readonly sizeBytes?: number | undefined;
  readonly kind: string;
  readonly endpointId?: string | undefined;
  readonly versionId?: string | undefined;
  readonly eTag?: string | undefined;
  readonly source?: string | undefined;
  /** 0..99 of its bucket: goes before the rule's. */
  readonly bucketPriority?: number | undefined;
  /** Media type told from the first bytes; unknown until somebody read them. */
  readonly contentType?: string | undefined;
  /** Unknown until somebody asked for them. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** What is unknown now will stay so. */
  readonly isInspected?: boolean | undefined;
}

/** What must be asked of the object before the rules can decide. */
export interface Needs {
  readonly type: boolean;
  readonly tags: boolean;
}

export interface Start extends Target {
  readonly kind: 'start';
  readonly rule: string;
  readonly priority: number;
  /** What the rule adds to the workflow's input. */
  readonly input?: JsonObject | undefined;
  /** The rules cannot decide yet. What stands beside it is what they decide when nothing more can be learnt. */
  readonly undecided?: Needs | undefined;
}

/** `rule` is the denying rule's name, or `no_rule_matched`. */
export interface Skip {
  readonly kind: 'skip';
  readonly rule: string;
}

export type Match = Start | Skip;

/**
 * Which workflow an upload starts. A denying rule wins over every allowing one; among those the first in the order
 * given wins. In doubt an upload is scanned: what is unknown satisfies no denying condition and every allowing one.
 */
export function matchRules(rules: readonly TriggerRule[], upload: Upload): Match {
  const outcomes = rules.map((rule): [TriggerRule, Outcome] => [rule, outcomeOf(rule, upload)]);
  const denied = outcomes.find(([{ effect }, { kind }]) => effect === 'deny' && kind === 'holds');
  if (denied !== undefined) return { kind: 'skip', rule: denied[0].name };
  const winner = allowed(outcomes);
  if (winner === undefined) return { kind: 'skip', rule: 'no_rule_matched' };
  const [rule, outcome] = winner;
  const start: Start = {
    kind: 'start',
    rule: rule.name,
    ...targetOf(rule, upload),
    priority: upload.bucketPriority ?? rule.priority,
    ...(rule.input !== undefined && { input: rule.input.apply(upload, rule.name) }),
  };
  if (upload.isInspected === true) return start;
  const open = outcomes.filter(([{ effect }]) => effect === 'deny').map(([, { needs }]) => needs);
  const undecided = union([...open, outcome.needs, missing(rule.input?.needs, upload)]);
  return undecided.type || undecided.tags ? { ...start, undecided } : start;
}

/** Of what a rule's input refers to, what is not known yet. */
const missing = (needs: Needs | undefined, { contentType, tags }: Upload): Needs => ({
  type: needs?.type === true && contentType === undefined,
  tags: needs?.tags === true && tags === undefined,
});

const union = (all: readonly Needs[]): Needs => ({
  type: all.some(({ type }) => type),
  tags: all.some(({ tags }) => tags),
});
