import { Injectable } from '@nestjs/common';
import type { Queryable } from '../database/queryable.js';
import { compileMapping } from './match-input.js';
import { matchRules, type Match, type TriggerRule, type Upload } from './match.js';
import { enabledRulesText, type RuleRow } from './sql/rule-rows.js';

/**
 * The rules as they stand in the database: read with each batch of messages, so that a change holds from the next one
 * on. Reading is one statement; what it says is understood again only when it says something else.
 */
@Injectable()
export class TriggerRules {
  private text = '[]';
  private rules: readonly TriggerRule[] = [];

  /** What each upload starts, all judged by the same reading of the rules. */
  async match(tx: Queryable): Promise<(upload: Upload) => Match> {
    const text = await enabledRulesText(tx);
    if (text !== this.text) {
      this.rules = (JSON.parse(text) as RuleRow[]).map(ruleOf);
      this.text = text;
    }
    const { rules } = this;
    return (upload) => matchRules(rules, upload);
  }
}

/** A row as the matching wants it. */
export const ruleOf = (row: RuleRow): TriggerRule => ({
  name: row.name,
  effect: row.effect,
  bucket: row.bucket ?? undefined,
  prefix: row.prefix ?? undefined,
  suffix: row.suffix ?? undefined,
  minSizeBytes: row.min_size_bytes ?? undefined,
  maxSizeBytes: row.max_size_bytes ?? undefined,
  eventKinds: row.event_kinds,
  contentTypes: row.content_types ?? undefined,
  tags: row.tags ?? undefined,
  trustTags: row.trust_tags,
  workflowName: row.workflow_name,
  workflowVersion: row.workflow_version ?? undefined,
  shares: row.shares?.map(({ workflow, version, percent }) => ({
    workflowName: workflow,
    workflowVersion: version,
    percent,
  })),
  priority: row.priority,
  input: row.input === null ? undefined : compileMapping(row.input),
});
