import { CONDITIONS, outcomeOf, type Condition, type Truth } from './match-conditions.js';
import { matchRules, type Match, type TriggerRule, type Upload } from './match.js';

export interface ExplainedCondition {
  readonly condition: Condition['name'];
  readonly wanted: string;
  readonly found: string;
  readonly outcome: Truth;
}

/**
 * `wins` decides; `holds` would, if another did not go before it; `fallback` scans what nothing else allows, though its
 * tags do not fit; `disabled` is not asked.
 */
export type RuleOutcome = 'wins' | 'holds' | 'fallback' | 'fails' | 'disabled';

export interface ExplainedRule {
  readonly rule: string;
  readonly effect: 'allow' | 'deny';
  readonly outcome: RuleOutcome;
  /** One sentence. */
  readonly why: string;
  readonly conditions: readonly ExplainedCondition[];
}

export interface Explanation {
  readonly match: Match;
  readonly rules: readonly ExplainedRule[];
}

/** What the rules decide of an upload, and of every rule why it did or did not. */
export function explainRules(
  rules: readonly (TriggerRule & { readonly enabled: boolean })[],
  upload: Upload,
): Explanation {
  const asked = rules.filter(({ enabled }) => enabled);
  const match = matchRules(asked, upload);
  const winner = asked.find(({ name }) => name === match.rule);
  return {
    match,
    rules: rules.map((rule) => {
      const conditions = conditionsOf(rule, upload);
      const outcome = ruleOutcome(rule, upload, winner);
      const { name, effect } = rule;
      return { rule: name, effect, outcome, why: sentence(rule, outcome, conditions, winner), conditions };
    }),
  };
}

function conditionsOf(rule: TriggerRule, upload: Upload): readonly ExplainedCondition[] {
  return CONDITIONS.flatMap((condition) => {
    const wanted = condition.wanted(rule);
    if (wanted === undefined) return [];
    const { name, found, holds } = condition;
    return [{ condition: name, wanted, found: found(upload), outcome: holds(rule, upload) }];
  });
}

function ruleOutcome(
  rule: TriggerRule & { readonly enabled: boolean },
  upload: Upload,
  winner: TriggerRule | undefined,
): RuleOutcome {
  if (!rule.enabled) return 'disabled';
  return rule.name === winner?.name ? 'wins' : outcomeOf(rule, upload).kind;
}

function sentence(
  rule: TriggerRule,
  outcome: RuleOutcome,
  conditions: readonly ExplainedCondition[],
  winner: TriggerRule | undefined,
): string {
  const failing = conditions.find((one) => one.outcome === 'fails');
  const unknown = conditions.filter((one) => one.outcome === 'unknown').map(({ condition }) => condition);
  const inDoubt =
    unknown.length === 0 ? '' : ` The ${unknown.join(' and ')} is not known: in doubt, it is scanned.`;
  switch (outcome) {
    case 'disabled':
      return 'It is switched off.';
    case 'wins':
      if (failing !== undefined) return TAGS_TAKE_NO_SCAN_AWAY;
      return `${rule.effect === 'deny' ? 'Every condition holds, and a denying rule goes before every allowing one.' : 'It is the first allowing rule whose conditions hold.'}${inDoubt}`;
    case 'holds':
      return `Its conditions hold, but ${winner?.name ?? 'another rule'} goes before it.${inDoubt}`;
    case 'fallback':
      return `Its tags do not fit, and ${winner?.name ?? 'another rule'} holds.`;
    case 'fails':
      if (failing !== undefined) {
        return `Its ${failing.condition} does not fit: it wants ${failing.wanted}, and there is ${failing.found}.`;
      }
      if (rule.tags !== undefined && rule.trustTags !== true) return UNTRUSTED_DENY;
      return `A denying rule holds only for certain.${inDoubt}`;
    default:
      return outcome satisfies never;
  }
}

const TAGS_TAKE_NO_SCAN_AWAY =
  'Its tags do not fit, but no other rule allows it, and whoever uploads sets the tags: they take no scan away unless the rule says trustTags.';
const UNTRUSTED_DENY =
  'It denies by tags, which whoever uploads can set, and does not say trustTags: it denies nothing.';
