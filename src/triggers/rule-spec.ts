import { z } from 'zod';
import { MAX_VERSION } from '../engine/model/definition.js';
import type { JsonObject } from '../engine/model/json.js';
import { mappingProblems } from './match-input.js';
import type { RuleRow } from './sql/rule-rows.js';

const MAX_INPUT_BYTES = 16_384;
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/([a-z0-9][a-z0-9!#$&^_.+-]*|\*)$/;

const storable = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\u0000') && value.isWellFormed(), 'must not contain NUL');

export const RuleName = storable(100).regex(
  /^[a-z0-9][a-z0-9_.-]*$/,
  'must begin with a small letter or digit, and have only small letters, digits, _ . and -',
);

/** A key has 1,024 bytes at most. */
const partOfKey = storable(1024).min(1, 'must not be empty; leave it out for any');
const bytes = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const workflowVersion = z.int().min(1).max(MAX_VERSION);

const fields = {
  description: storable(1000).optional(),
  effect: z.enum(['allow', 'deny']).default('allow'),
  /** Lower is asked first among the allowing rules; the shipped rule for every upload stands at 100. */
  position: z.int().min(0).max(1_000_000).default(50),
  enabled: z.boolean().default(true),
  /** Exact, or with * at the end. */
  bucket: storable(255).min(1).optional(),
  prefix: partOfKey.optional(),
  suffix: partOfKey.optional(),
  minSizeBytes: bytes.optional(),
  maxSizeBytes: bytes.optional(),
  eventKinds: z
    .array(z.enum(['created', 'restored']))
    .min(1)
    .max(2)
    .default(['created', 'restored']),
  /** One of them: application/zip, image/*. Told from the first bytes, whatever the name or the header says. */
  contentTypes: z
    .array(
      storable(255).regex(MEDIA_TYPE, 'must be a media type in small letters, as application/zip or image/*'),
    )
    .min(1)
    .max(50)
    .optional(),
  /** All of them. */
  tags: z
    .record(storable(128).min(1), storable(256))
    .refine((tags) => Object.keys(tags).length >= 1 && Object.keys(tags).length <= 10, 'must be 1 to 10 tags')
    .optional(),
  trustTags: z.boolean().default(false),
  /** Of an allowing rule. */
  workflow: storable(255).min(1).optional(),
  /** The newest when absent. */
  version: workflowVersion.optional(),
  /** So many of a hundred objects go elsewhere; the rest to `workflow`. */
  shares: z
    .array(
      z.strictObject({
        workflow: storable(255).min(1),
        version: workflowVersion.optional(),
        percent: z.int().min(1).max(100),
      }),
    )
    .min(1)
    .max(20)
    .optional(),
  priority: z.int().min(0).max(99).default(50),
  /** Added to the workflow's input: ${event.key}, ${event.sizeBytes}, ${event.contentType}, ${event.tags.team} … */
  input: z.record(z.string(), z.any()).optional(),
};

type Fields = z.infer<z.ZodObject<typeof fields>>;

function check(rule: Fields, context: z.core.$RefinementCtx): void {
  const refuse = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path, message, input: undefined });
  const { minSizeBytes: min = 0, maxSizeBytes: max = Infinity } = rule;
  if (min > max) refuse(['maxSizeBytes'], 'must not be smaller than minSizeBytes');
  if (rule.effect === 'deny') {
    for (const field of ['workflow', 'version', 'shares', 'input'] as const) {
      if (rule[field] !== undefined)
        refuse([field], 'belongs to an allowing rule; a denying one starts nothing');
    }
    if (rule.tags !== undefined && !rule.trustTags) refuse(['trustTags'], UNTRUSTED);
    return;
  }
  if (rule.workflow === undefined) refuse(['workflow'], 'must name the workflow that is started');
  const percent = (rule.shares ?? []).reduce((sum, share) => sum + share.percent, 0);
  if (percent > 100) refuse(['shares'], `must be 100 percent together at most, not ${percent}`);
  if (rule.input === undefined) return;
  if (Buffer.byteLength(JSON.stringify(rule.input)) > MAX_INPUT_BYTES) {
    refuse(['input'], `must be ${MAX_INPUT_BYTES / 1024} KB of JSON at most`);
  }
  for (const { path, message } of mappingProblems(rule.input as JsonObject)) refuse(['input', path], message);
}

const UNTRUSTED =
  'must be true in a rule that denies by tags: whoever uploads an object sets its tags, and could have anything passed by. Say it only where nobody but you may tag.';

/** A rule as somebody wants it. */
export const RuleSpec = z
  .strictObject({ name: RuleName, ...fields })
  .superRefine(check)
  .meta({ id: 'TriggerRule' });
export type RuleSpec = z.infer<typeof RuleSpec>;

/** The same, over the rule of that name; `version` is the workflow's, so the rule's own is `ruleVersion`. */
export const ChangedRule = z
  .strictObject({
    ...fields,
    /** As last read: a change made meanwhile is a conflict. */
    ruleVersion: z.int().min(1),
  })
  .superRefine(check)
  .meta({ id: 'ChangedTriggerRule' });

export const MAX_RULES = 500;

const rules = z.array(RuleSpec).max(MAX_RULES);

function refuseTwins(file: { readonly rules: z.infer<typeof rules> }, context: z.core.$RefinementCtx): void {
  const names = new Set<string>();
  for (const [index, { name }] of file.rules.entries()) {
    if (names.has(name)) {
      const message = `${name} is the name of a rule before it`;
      context.addIssue({ code: 'custom', path: ['rules', index, 'name'], message, input: undefined });
    }
    names.add(name);
  }
}

/** A file of rules, as it is applied and exported. */
export const RuleFile = z.strictObject({ rules }).superRefine(refuseTwins);

/** The same, from somebody who applies it. */
export const ApplyRules = z
  .strictObject({
    rules,
    /** Also removes what it does not name. */
    prune: z.boolean().default(false),
  })
  .superRefine(refuseTwins)
  .meta({ id: 'ApplyTriggerRules' });

/** A row as somebody would write it; what is not said is left out. */
export function specOf(row: RuleRow): RuleSpec {
  const said: { [Field in keyof RuleSpec]: RuleSpec[Field] | null } = {
    name: row.name,
    description: row.description,
    effect: row.effect,
    position: row.position,
    enabled: row.enabled,
    bucket: row.bucket,
    prefix: row.prefix,
    suffix: row.suffix,
    minSizeBytes: row.min_size_bytes,
    maxSizeBytes: row.max_size_bytes,
    eventKinds: [...row.event_kinds] as RuleSpec['eventKinds'],
    contentTypes: row.content_types && [...row.content_types],
    tags: row.tags,
    trustTags: row.trust_tags,
    workflow: row.effect === 'allow' ? row.workflow_name : null,
    version: row.workflow_version,
    shares: row.shares && [...row.shares],
    priority: row.priority,
    input: row.input,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null)) as RuleSpec;
}

export const rowOf = (
  spec: RuleSpec,
  kept: Pick<RuleRow, 'origin' | 'version' | 'updated_at' | 'updated_by'>,
): RuleRow => ({
  name: spec.name,
  description: spec.description ?? null,
  effect: spec.effect,
  position: spec.position,
  enabled: spec.enabled,
  bucket: spec.bucket ?? null,
  prefix: spec.prefix ?? null,
  suffix: spec.suffix ?? null,
  min_size_bytes: spec.minSizeBytes ?? null,
  max_size_bytes: spec.maxSizeBytes ?? null,
  event_kinds: spec.eventKinds,
  content_types: spec.contentTypes ?? null,
  tags: spec.tags ?? null,
  trust_tags: spec.trustTags,
  // Nobody reads it of a denying rule.
  workflow_name: spec.workflow ?? '',
  workflow_version: spec.version ?? null,
  shares: spec.shares ?? null,
  priority: spec.priority,
  input: (spec.input as JsonObject | undefined) ?? null,
  ...kept,
});
