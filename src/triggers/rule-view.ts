import { z } from 'zod';
import type { TestedRules } from './trigger-test.js';
import type { RuleRow } from './sql/rule-rows.js';
import { specOf } from './rule-spec.js';
import type { Triggers } from './triggers.service.js';

const storable = (value: string): boolean => !value.includes('\u0000') && value.isWellFormed();
const NOT_STORABLE = 'must not contain NUL or lone surrogates';

const Share = z.object({ workflow: z.string(), version: z.number().optional(), percent: z.number() });

/** A rule as the API shows it: what can be sent, what was not said left out, and who keeps it. */
export const RuleView = z
  .object({
    name: z.string(),
    description: z.string().optional(),
    effect: z.enum(['allow', 'deny']),
    position: z.number(),
    enabled: z.boolean(),
    bucket: z.string().optional(),
    prefix: z.string().optional(),
    suffix: z.string().optional(),
    minSizeBytes: z.number().optional(),
    maxSizeBytes: z.number().optional(),
    eventKinds: z.array(z.string()),
    contentTypes: z.array(z.string()).optional(),
    tags: z.record(z.string(), z.string()).optional(),
    trustTags: z.boolean(),
    workflow: z.string().optional(),
    version: z.number().optional(),
    shares: z.array(Share).optional(),
    priority: z.number(),
    input: z.record(z.string(), z.any()).optional(),
    /** `file`: the file in TRIGGERS_FILE keeps it, and it is changed there. */
    origin: z.enum(['shipped', 'api', 'file']),
    ruleVersion: z.number(),
    updatedAt: z.iso.datetime(),
    updatedBy: z.string(),
    /** What keeps it from working: workflows that are not registered any more. Its uploads wait. */
    problems: z.array(z.string()),
  })
  .meta({ id: 'TriggerRuleView' });
export type RuleView = z.infer<typeof RuleView>;

export const RuleList = z.object({ items: z.array(RuleView) }).meta({ id: 'TriggerRuleList' });
export type RuleList = z.infer<typeof RuleList>;

export const AppliedView = z
  .object({ created: z.array(z.string()), changed: z.array(z.string()), deleted: z.array(z.string()) })
  .meta({ id: 'AppliedTriggerRules' });
export type AppliedView = z.infer<typeof AppliedView>;

export const TestBody = z
  .strictObject({
    bucket: z.string().min(1).max(255).refine(storable, NOT_STORABLE),
    key: z
      .string()
      .min(1)
      .refine(storable, NOT_STORABLE)
      .refine((key) => Buffer.byteLength(key) <= 1024, 'must be at most 1024 bytes of UTF-8'),
    endpointId: z.string().min(1).max(255).refine(storable, NOT_STORABLE).optional(),
    versionId: z.string().min(1).max(1024).refine(storable, NOT_STORABLE).optional(),
    sizeBytes: z.int().min(0).optional(),
    contentType: z.string().min(1).max(255).optional(),
    tags: z.record(z.string().max(128), z.string().max(256)).optional(),
    kind: z.enum(['created', 'restored']).default('created'),
  })
  .meta({ id: 'TriggerTest' });

export const TestResult = z
  .object({
    /** What the rules were asked about: as said, and as the object told. */
    upload: z.object({
      endpointId: z.string(),
      bucket: z.string(),
      key: z.string(),
      versionId: z.string().nullable(),
      sizeBytes: z.number().nullable(),
      contentType: z.string().nullable(),
      tags: z.record(z.string(), z.string()).nullable(),
      kind: z.string(),
    }),
    decision: z.object({
      kind: z.enum(['start', 'skip']),
      /** Of the rule that wins; `no_rule_matched` when none does. */
      rule: z.string(),
      workflow: z.string().optional(),
      version: z.number().optional(),
      priority: z.number().optional(),
      input: z.record(z.string(), z.any()).optional(),
    }),
    rules: z.array(
      z.object({
        rule: z.string(),
        effect: z.enum(['allow', 'deny']),
        outcome: z.enum(['wins', 'holds', 'fallback', 'fails', 'disabled']),
        why: z.string(),
        conditions: z.array(
          z.object({
            condition: z.string(),
            wanted: z.string(),
            found: z.string(),
            outcome: z.enum(['holds', 'fails', 'unknown']),
          }),
        ),
      }),
    ),
    /** What the object did not tell, and why. */
    notes: z.array(z.string()),
  })
  .meta({ id: 'TriggerTestResult' });
export type TestResult = z.infer<typeof TestResult>;

export async function ruleView(row: RuleRow, triggers: Triggers): Promise<RuleView> {
  return {
    ...specOf(row),
    origin: row.origin,
    ruleVersion: row.version,
    updatedAt: new Date(row.updated_at).toISOString(),
    updatedBy: row.updated_by,
    problems: row.enabled ? [...(await triggers.unregistered(row))] : [],
  };
}

export function testView({ upload, match, rules, notes }: TestedRules): TestResult {
  const { endpointId = '', bucket, key, kind, versionId, sizeBytes, contentType, tags } = upload;
  return {
    upload: {
      endpointId,
      bucket,
      key,
      kind,
      versionId: versionId ?? null,
      sizeBytes: sizeBytes ?? null,
      contentType: contentType ?? null,
      tags: tags ?? null,
    },
    decision:
      match.kind === 'skip'
        ? { kind: 'skip', rule: match.rule }
        : {
            kind: 'start',
            rule: match.rule,
            workflow: match.workflowName,
            ...(match.workflowVersion !== undefined && { version: match.workflowVersion }),
            priority: match.priority,
            ...(match.input !== undefined && { input: match.input }),
          },
    rules: rules.map((rule) => ({ ...rule, conditions: rule.conditions.map((one) => ({ ...one })) })),
    notes: [...notes],
  };
}
